"""Numbers of `eval.steerable`: accuracy, distance recovered, bias, errors of scores, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from fsa.judge.scores import AttributeScores, Labelled
from fsa.judge.select import SAME, distances
from fsa.judge.target import AlignmentTarget
from fsa.reports.bootstrap import Interval, draw
from fsa.reports.intervals import mean_interval, resampled

_RESAMPLES = 200  # of a rank correlation, which is dear


@dataclass(frozen=True)
class Grids:
    """What every choice of a method was worth: one row a target, one column a probe, NaN where it ties.

    A tie is a probe all of whose responses are equally near the target by the labels; nothing can be right
    or wrong there, so it is skipped, as published. Where a method's own responses tie, its credit is the mean
    over them; where it could not tell, it is 0.

    Attributes:
        correct: 1 where the nearest response was chosen.
        recovered: 1 - distance of the chosen response / largest distance: 0 for the worst there is.
        to_higher: By attribute: 1 where the choice went to the response that is higher on it, less the same
            of the oracle; NaN also where responses are equal on it, or the method could not tell.
        unanswered: 1 where the method could not tell.
    """

    correct: Float[np.ndarray, "t n"]
    recovered: Float[np.ndarray, "t n"]
    to_higher: Mapping[str, Float[np.ndarray, "t n"]]
    unanswered: Float[np.ndarray, "t n"]


def grids(
    picks: Sequence[Sequence[tuple[int, ...]]], targets: Sequence[AlignmentTarget], test: Sequence[Labelled]
) -> Grids:
    """Grids of a method's picks, by target and then by probe."""
    attributes, most = test[0].labels.attributes, max(len(each.probe.responses) for each in test)
    labels = np.full((len(test), most, len(attributes)), np.nan)  # [n, k, a]
    for place, each in enumerate(test):
        labels[place, : len(each.probe.responses)] = each.labels.mean
    every = AttributeScores(attributes, labels.reshape(-1, len(attributes)))
    distance = np.stack([distances(every, target).reshape(labels.shape[:2]) for target in targets])
    largest = np.nanmax(distance, -1, keepdims=True)
    nearest = distance <= np.nanmin(distance, -1, keepdims=True) + SAME
    tied = (nearest | np.isnan(distance)).all(-1)
    chosen = _shares(picks, most)
    answered = chosen.sum(-1) > 0
    # What is missing pads the axis, and is neither chosen nor near; a largest distance of 0 ties anyway.
    near = 1 - np.nan_to_num(distance) / np.maximum(largest, SAME)
    oracle = nearest / nearest.sum(-1, keepdims=True)
    to_higher = {}
    for column, name in enumerate(attributes):
        values = labels[..., column]  # [n, k]
        highest = values >= np.nanmax(values, -1, keepdims=True) - SAME
        is_flat = (highest | np.isnan(values)).all(-1)
        gap = ((chosen - oracle) * highest).sum(-1)
        to_higher[name] = np.where(tied | is_flat | ~answered, np.nan, gap)
    return Grids(
        correct=np.where(tied, np.nan, (chosen * nearest).sum(-1)),
        recovered=np.where(tied, np.nan, (chosen * near).sum(-1)),
        to_higher=to_higher,
        unanswered=np.where(tied, np.nan, ~answered),
    )


def _shares(picks: Sequence[Sequence[tuple[int, ...]]], most: int) -> Float[np.ndarray, "t n k"]:
    """Share of a choice that each response got: all for one, equal parts of a tie."""
    shares = np.zeros((len(picks), len(picks[0]), most))
    for row, of_target in enumerate(picks):
        for column, chosen in enumerate(of_target):
            shares[row, column, list(chosen)] = 1 / max(len(chosen), 1)
    return shares


def interval(grid: Float[np.ndarray, "t n"]) -> Interval | None:
    """Mean over targets of the mean over probes, with its interval over resampled probes; None if all tie."""
    target, probe = np.nonzero(~np.isnan(grid))
    if not len(target):
        return None
    sums = resampled({"value": grid[target, probe]}, [probe], part=target)
    return sums.mean_of_parts("value", np.unique(target).tolist())


def score_errors(
    found: Sequence[AttributeScores], test: Sequence[Labelled], attribute: str
) -> dict[str, Interval | None]:
    """Mean absolute error, and rank correlation over all responses, of the scores on one attribute.

    Responses without a score are left out.
    """
    scores = [one.column(attribute) for one in found]
    labels = [each.labels.column(attribute) for each in test]
    probe = np.repeat(np.arange(len(test)), [len(part) for part in scores])
    score, label = np.concatenate(scores), np.concatenate(labels)
    is_there = ~np.isnan(score)
    score, label, probe = score[is_there], label[is_there], probe[is_there]
    if len(score) < 3:
        return {"score_error": None, "rank_correlation": None}
    value = rank_correlation(score, label)
    weights = draw(np.random.default_rng(0), len(test), _RESAMPLES)[:, probe].astype(int)
    ranks = np.array([rank_correlation(np.repeat(score, w), np.repeat(label, w)) for w in weights])
    return {
        "score_error": mean_interval(np.abs(score - label), [probe]),
        "rank_correlation": None if np.isnan(value) else Interval.of(value, ranks, len(score)),
    }


def rank_correlation(first: Float[np.ndarray, " m"], second: Float[np.ndarray, " m"]) -> float:
    """Spearman's: the correlation of ranks, equal values sharing their mean rank; NaN where all are equal."""
    ranks = pd.DataFrame({"first": first, "second": second}).rank()
    return float(ranks["first"].corr(ranks["second"]))
