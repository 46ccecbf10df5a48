"""`people_report`: whether a few choices of a person pay, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.reports.bootstrap import Interval
from fsa.reports.intervals import EXCESS, ece_interval, excess_interval, mean_interval, paired_interval
from fsa.reports.row import Row, worst

PERSONAL, POOLED = "personal", "one model for everybody"
FEWEST_PEOPLE = 20
"""Fewer new people than these leave an interval that says nothing."""
ALIKE_WITHIN = 0.02
"""A gain that is below this fraction at the upper end of its interval is none to speak of."""


@dataclass(frozen=True)
class Verdict:
    """Whether it pays to read a person's choices.

    Attributes:
        kind: "differ": it pays, the interval of the gain is above 0. "alike": people hardly differ, a gain of
            `ALIKE_WITHIN` is out of the interval. "unclear": neither. "few": too few people to tell.
        text: The same in words.
    """

    kind: Literal["differ", "alike", "unclear", "few"]
    text: str

    @property
    def is_personal(self) -> bool:
        """Whether the model to keep is the one that reads choices."""
        return self.kind == "differ"


def people_report(
    personal: Mapping[int, Predictions],
    pooled: Predictions,
    groups: Sequence[str],
    data: str,
    texts: Literal["known", "new"] = "known",
    rivals: Mapping[str, Mapping[int, Predictions]] | None = None,
) -> tuple[list[Row], Verdict]:
    """Rows and a verdict from models' predictions of the same choices of people new to all of them.

    Predictions of several folds are concatenated first, with users, prompts, rows and groups numbered alike.
    Intervals resample people and, where there is more than one, prompts; a gain is of the same choices.

    Args:
        personal: Predictions after as many choices as the key says; the verdict is of the largest.
        pooled: Those of the model that reads no choices, of the same targets in the same order.
        groups: Name of each group.
        data: Name of the data set.
        texts: Whether the predicted choices are about texts seen in training.
        rivals: Predictions of other methods, as of `personal`, by name.

    Raises:
        ConfigError: The predictions are not of the same choices.
    """
    others = dict(rivals or {})
    for size, one in [pair for method in (personal, *others.values()) for pair in method.items()]:
        if not np.array_equal(one.row, pooled.row):
            raise ConfigError(
                f"the models predict other choices, or in another order, at {size} choices seen"
            )
    where = {"texts": texts}
    rows = {
        group: _rows(personal, {POOLED: dict.fromkeys(personal, pooled), **others}, keep, group, data, where)
        for group, keep in _groups(pooled, groups).items()
    }
    off = {
        (name, size): _off(one)
        for name, of in {PERSONAL: personal, **others}.items()
        for size, one in of.items()
    }
    off |= dict.fromkeys(((POOLED, size) for size in personal), _off(pooled))  # the same at every size: once
    rows["all"] += [
        Row.of(number, data, name, "all", size, metric, where)
        for (name, size), numbers in off.items()
        for metric, number in numbers.items()
    ]
    of_groups = [of_group for group, of_group in rows.items() if group != "all"]
    worsts = [worst(of_metric) for of_metric in zip(*of_groups, strict=True)]
    found = [row for of_group in rows.values() for row in of_group]
    return [*found, *worsts], verdict(personal, pooled, groups)


def verdict(personal: Mapping[int, Predictions], pooled: Predictions, groups: Sequence[str]) -> Verdict:
    """The verdict alone; arguments as of `people_report`."""
    size, people = max(personal), len(np.unique(pooled.user))
    ours = personal[size]
    gain = _gain(ours, pooled)
    found = f"{_points(gain)} points after {size} choices, {people} people"
    kept = "the saved model answers as one model for everybody"
    if people < FEWEST_PEOPLE:
        return Verdict("few", f"too few people to tell: {people}, and it takes {FEWEST_PEOPLE}; {kept}")
    if gain.low > 0:
        mine, theirs = _mean(ours), _percent(_mean(pooled).value)
        return Verdict(
            "differ",
            f"after {size} choices {_percent(mine.value)} % [{_percent(mine.low)}, {_percent(mine.high)}] of "
            f"new people's choices are predicted, one model for everybody has {theirs}: {_points(gain)} "
            f"points, {people} people{_worst_group(ours, pooled, groups)}",
        )
    if gain.high < ALIKE_WITHIN:
        return Verdict("alike", f"these people hardly differ: {found}; {kept}")
    return Verdict("unclear", f"no gain is proven: {found}; more people would tell; {kept}")


def _rows(
    personal: Mapping[int, Predictions],
    others: Mapping[str, Mapping[int, Predictions]],
    keep: np.ndarray,
    group: str,
    data: str,
    where: Mapping[str, str],
) -> list[Row]:
    """Of every method its numbers, and by how much the personal model leads, over the same choices."""
    rows = []
    for size, whole in sorted(personal.items()):
        ours = whole.where(keep)
        by = _units(ours)
        numbers = [
            (PERSONAL, "accuracy", _mean(ours)),
            (PERSONAL, "nll", mean_interval(ours.nll, by)),
            (PERSONAL, "people", _count(ours.user)),
            (PERSONAL, "distinct_choices", _count(ours.row)),
        ]
        for name, rival in others.items():
            theirs = rival[size].where(keep)
            against = PERSONAL if name == POOLED else f"{PERSONAL} less {name}"
            numbers += [
                (name, "accuracy", _mean(theirs)),
                (name, "nll", mean_interval(theirs.nll, by)),
                (against, "gain_in_accuracy", _gain(ours, theirs)),
                (against, "gain_in_nll", paired_interval(ours.nll, theirs.nll, by)),
            ]
        rows += [
            Row.of(number, data, method, group, size, metric, where) for method, metric, number in numbers
        ]
    return rows


def _off(predictions: Predictions) -> dict[str, Interval]:
    """How far probabilities are off, by metric."""
    given = predictions.confidence, predictions.correct, _units(predictions)
    return {"ece": ece_interval(*given), EXCESS: excess_interval(*given)}


def _count(labels: np.ndarray) -> Interval:
    """How many there are, for certain."""
    number = float(len(np.unique(labels)))
    return Interval(number, number, number, len(labels), 1)


def _groups(predictions: Predictions, groups: Sequence[str]) -> dict[str, np.ndarray]:
    """Which rows are of all, and of each group where there are several."""
    found = np.unique(predictions.group)
    parts = {groups[number]: predictions.group == number for number in found} if len(found) > 1 else {}
    return {"all": np.ones(len(predictions.row), np.bool_), **parts}


def _worst_group(ours: Predictions, pooled: Predictions, groups: Sequence[str]) -> str:
    parts = {
        name: keep
        for name, keep in _groups(ours, groups).items()
        if not keep.all() and len(np.unique(ours.user[keep])) >= FEWEST_PEOPLE
    }
    if not parts:
        return ""
    name = min(parts, key=lambda name: ours.correct[parts[name]].mean())
    here = parts[name]
    return (
        f"; worst group {name}: {_percent(ours.correct[here].mean())} against "
        f"{_percent(pooled.correct[here].mean())} %"
    )


def _units(predictions: Predictions) -> list[np.ndarray]:
    one_prompt = len(np.unique(predictions.prompt)) == 1
    return [predictions.user] if one_prompt else [predictions.user, predictions.prompt]


def _mean(predictions: Predictions) -> Interval:
    return mean_interval(predictions.correct, _units(predictions))


def _gain(ours: Predictions, pooled: Predictions) -> Interval:
    return paired_interval(ours.correct, pooled.correct, _units(ours))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.1f} [{100 * gain.low:.1f}, {100 * gain.high:.1f}]"
