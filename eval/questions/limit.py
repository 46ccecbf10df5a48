"""What asking is worth where it is known how choices were made: a limit of models that have to learn it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from fsa.episodes.sampler import EpisodeRows
from fsa.questions.information_gain import InformationGain
from fsa.recipes.measuring.bayes import BayesPredictor, bayes_correct
from fsa.recipes.measuring.runs import Data
from fsa.reports.intervals import mean_interval, paired_interval
from fsa.reports.report import Row

ASKED, AT_RANDOM = "Bayes limit asked", "Bayes limit at random"
_AT_ONCE = 32  # episodes: tastes may be many


def rows_of_the_limit(at: Data, sizes: Sequence[int]) -> Iterator[Row]:
    """Accuracy of Bayes' rule by number of questions, asked and at random, and the paired differences.

    The rule that made the choices is known, the person's taste is not; the same people, pools and targets.
    """
    assert at.truth is not None, "the caller looked"
    rows = at.episodes.target[at.episodes.target >= 0]
    units = [at.table.user[rows], at.table.prompt[rows]]
    by_way = {AT_RANDOM: at.episodes, ASKED: in_order_of_the_limit(at, max(sizes))}
    found = {
        (way, size): bayes_correct(at.truth, at.table, episodes.with_context(size))
        for way, episodes in by_way.items()
        for size in sizes
    }
    for (way, size), correct in found.items():
        yield Row.of(mean_interval(correct, units), at.name, way, "all", size, "accuracy")
    for size in sizes:
        for metric, other in rivals_of(size, sizes).items():
            gain = paired_interval(found[ASKED, size], found[AT_RANDOM, other], units)
            yield Row.of(gain, at.name, ASKED, "all", size, metric)


def rivals_of(size: int, sizes: Sequence[int]) -> dict[str, int]:
    """How many taken at random so many questions are compared with, by the metric's name."""
    return {"asked_over_random": size} | ({"asked_over_10_random": 10} if 10 in sizes else {})


def in_order_of_the_limit(at: Data, count: int) -> EpisodeRows:
    """The same episodes, each context those choices whose outcome tells most of the taste, one by one."""
    assert at.truth is not None, "the caller looked"
    predictor, episodes, parts = BayesPredictor(at.truth, at.table), at.episodes, list[np.ndarray]()
    for start in range(0, len(episodes.index), _AT_ONCE):
        pool = episodes.context[start : start + _AT_ONCE]
        log_likely = torch.from_numpy(predictor.log_likelihood(pool))
        parts.append(_greedy(pool, predictor.first(pool), log_likely, predictor.log_prior, count))
    return replace(episodes, context=np.concatenate(parts))


def _greedy(
    pool: NDArray[np.int64],
    first: Float[Tensor, "b n t"],
    log_likely: Float[Tensor, "b n t"],
    log_prior: Float[Tensor, " t"],
    count: int,
) -> NDArray[np.int64]:
    """Rows of the pools in the order in which they would be asked about, -1 where one is used up [b, c].

    What a question is worth is computed from its options alone, never from the answer: of questions worth the
    same, rounding would otherwise prefer some answers.
    """
    left, order, every = torch.from_numpy(pool >= 0), list[Tensor](), torch.arange(len(pool))
    log_weight = log_prior.repeat(len(pool), 1)
    for _ in range(min(count, pool.shape[1])):
        weight = log_weight.softmax(-1)
        worth = torch.stack([InformationGain().worth(first[b].T, weight[b]) for b in range(len(pool))])
        best = torch.where(left, worth, -torch.inf).argmax(-1)
        order.append(torch.where(left[every, best], torch.from_numpy(pool)[every, best], -1))
        log_weight = log_weight + torch.where(left[every, best].unsqueeze(1), log_likely[every, best], 0)
        left[every, best] = False
    return torch.stack(order, 1).numpy()
