"""`mean_interval`, `ece_interval`, `paired_interval`: the 95 % interval that stands beside every number.

Choices are not independent: those of one user share a taste, those of one prompt a difficulty. So users and
prompts are resampled, not choices: a choice counts as often as its user was drawn times its prompt was drawn.
Then trainings (seeds) are resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch.nn import functional

from fsa.errors import ShapeError
from fsa.metrics.calibration import equal_mass_bins

_CELLS = 4_000_000  # numbers in the largest array: resamples are drawn in blocks of 32 MB


@dataclass(frozen=True)
class Interval:
    """A number and the interval around it.

    Attributes:
        value: The mean of the seeds' numbers, all choices of one seed weighing the same.
        low, high: 2.5th and 97.5th percentile of the resampled number.
        n: Choices judged by each seed (their mean, rounded).
        seeds: Trainings that were averaged.
    """

    value: float
    low: float
    high: float
    n: int
    seeds: int


def mean_interval(
    values: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    num_resamples: int = 1000,
    random_seed: int = 0,
) -> Interval:
    """Mean of a number that every choice has (correctness, NLL, flip correctness), with its interval.

    Multiplied weights count the chance of a single choice three times over, which would make intervals of
    noisy numbers up to 1.7 times too wide. So the resampled numbers are drawn towards the value until their
    spread is that of the closed form for crossed samples.

    Args:
        values: One number a choice; the rows of all seeds one after another.
        by: What to resample, one or two labels a choice: `(users, prompts)`, or `(prompts,)` where the users
            are fixed, named ones and the claim is about them alone.
        seeds: Which training each row comes from; all from one where None. Seeds may share users and prompts.
        num_resamples: 1000 gives bounds to about a tenth of the interval's width.
        random_seed: Same seed, same interval.

    Raises:
        ShapeError: There is no row, labels are not one a row, or `by` has other than one or two axes.

    Reference:
        [Owen2007] The pigeonhole bootstrap, Sec. 3: what multiplied weights estimate.
        [Cameron2011] Robust inference with multiway clustering, Eq. 2.11: the variance of crossed samples.

    Example:
        >>> mean_interval(np.ones(4), [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])])
        Interval(value=1.0, low=1.0, high=1.0, n=4, seeds=1)
    """
    rows = _Rows.of(len(values), by, seeds)
    mean = _Statistic(np.asarray(values, np.float64), rows.seed, is_absolute=False)
    return _interval(rows, mean, num_resamples, random_seed)


def paired_interval(
    values: Float[np.ndarray, " n"],
    rivals: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    num_resamples: int = 1000,
    random_seed: int = 0,
) -> Interval:
    """Mean of values less rivals on the same choices; two methods differ where the interval leaves out 0.

    Far narrower than two separate intervals: what both methods find hard cancels. Arguments: `mean_interval`.
    """
    if len(values) != len(rivals):
        raise ShapeError(f"paired methods must judge the same choices, got {len(values)} and {len(rivals)}")
    difference = np.asarray(values, np.float64) - np.asarray(rivals, np.float64)
    return mean_interval(difference, by, seeds=seeds, num_resamples=num_resamples, random_seed=random_seed)


def ece_interval(
    confidence: Float[np.ndarray, " n"],
    correct: Float[np.ndarray, " n"],
    by: Sequence[np.ndarray],
    *,
    seeds: np.ndarray | None = None,
    num_bins: int = 15,
    num_resamples: int = 1000,
    random_seed: int = 0,
) -> Interval:
    """Expected calibration error with its interval; each seed is binned by itself, once.

    A resample adds noise to what is a sum of absolute gaps, and so is larger on average than the value. That
    excess is taken off, so that the interval holds the value. Arguments: `fsa.metrics.calibration.ece` and
    `mean_interval`.
    """
    if len(confidence) != len(correct):
        raise ShapeError(f"{len(confidence)} confidences but {len(correct)} predictions")
    rows = _Rows.of(len(confidence), by, seeds)
    gaps = np.asarray(confidence, np.float64) - np.asarray(correct, np.float64)
    cell = np.zeros(len(gaps), np.int64)
    for seed in range(rows.num_seeds):
        here = rows.seed == seed
        cell[here] = seed * num_bins + equal_mass_bins(confidence[here], num_bins)
    statistic = _Statistic(gaps, np.unique(cell, return_inverse=True)[1], is_absolute=True)
    return _interval(rows, statistic, num_resamples, random_seed)


@dataclass(frozen=True)
class _Rows:
    """Which unit of each resampled axis, and which seed, every row belongs to; all numbered from 0."""

    axes: tuple[Int[np.ndarray, " n"], ...]
    seed: Int[np.ndarray, " n"]

    @classmethod
    def of(cls, n: int, by: Sequence[np.ndarray], seeds: np.ndarray | None) -> _Rows:
        if len(by) not in (1, 2):
            raise ShapeError(f"resample by one or two axes, got {len(by)}: (users, prompts) or (prompts,)")
        labels = [*by, np.zeros(n, np.int64) if seeds is None else seeds]
        if not n or any(len(label) != n for label in labels):
            raise ShapeError(f"{n} values need one label each, at least one, got {[len(x) for x in labels]}")
        *axes, seed = (np.unique(label, return_inverse=True)[1] for label in labels)
        return cls(tuple(axes), seed)

    @property
    def num_seeds(self) -> int:
        return int(self.seed.max()) + 1


@dataclass(frozen=True)
class _Statistic:
    """A mean of `values` within a seed or, where absolute, the sum of its cells' absolute sums over n."""

    values: Float[np.ndarray, " n"]
    cell: Int[np.ndarray, " n"]
    is_absolute: bool

    def signs(self) -> Float[np.ndarray, " n"]:
        """Derivative of each row's term: the sign of its cell's sum where absolute, else 1."""
        if not self.is_absolute:
            return np.ones(len(self.values))
        return np.sign(np.bincount(self.cell, weights=self.values))[self.cell]


def _interval(rows: _Rows, statistic: _Statistic, num_resamples: int, random_seed: int) -> Interval:
    rng = np.random.default_rng(random_seed)
    sizes = np.bincount(rows.seed)
    terms = statistic.values * statistic.signs()
    each_value = np.bincount(rows.seed, weights=terms) / sizes
    value = float(each_value.mean())

    draws = _resample(rows, statistic, num_resamples, rng)  # [resamples, seeds]
    if statistic.is_absolute:
        draws = draws + (each_value - np.nanmean(draws, axis=0))
    influence = (terms - each_value[rows.seed]) / (sizes[rows.seed] * len(sizes))
    draws = each_value + (draws - each_value) * shrinkage(rows.axes, influence, draws.mean(1))

    picked = rng.integers(0, len(sizes), draws.shape)  # seeds, with replacement
    resampled = np.take_along_axis(draws, picked, 1).mean(1)
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    if statistic.is_absolute:
        low = max(low, 0.0)
    return Interval(value, float(low), float(high), round(float(sizes.mean())), len(sizes))


def shrinkage(
    axes: Sequence[Int[np.ndarray, " n"]], influence: Float[np.ndarray, " n"], draws: Float[np.ndarray, " r"]
) -> float:
    """Factor on resampled deviations, 0-1, that gives them the closed-form spread; 1 for a single axis.

    Args:
        axes: Unit of each resampled axis that a row belongs to.
        influence: What each row adds to the number's deviation, to first order.
        draws: The resampled number.
    """
    spread = float(np.nanstd(draws))
    if len(axes) == 1 or spread == 0:
        return 1.0
    first, second = axes
    cell = np.unique(first * (second.max() + 1) + second, return_inverse=True)[1]
    by_first, by_second, by_cell = (
        float(np.square(np.bincount(label, weights=influence)).sum()) for label in (first, second, cell)
    )
    # Each axis counts the noise of single choices once: take one off, but never fall below either axis alone.
    variance = max(by_first + by_second - by_cell, by_first, by_second)
    return min(1.0, variance**0.5 / spread)


def _resample(
    rows: _Rows, statistic: _Statistic, num_resamples: int, rng: np.random.Generator
) -> Float[np.ndarray, "r seeds"]:
    """The statistic of every seed under resampled units; NaN where no row of a seed was drawn."""
    sizes = [int(axis.max()) + 1 for axis in rows.axes]
    sums = _WeightedSums(rows.axes, statistic.cell, statistic.values)
    counts = _WeightedSums(rows.axes, rows.seed, np.ones(len(statistic.values)))
    block = int(np.clip(_CELLS // max(*sizes, len(sums.first)), 1, num_resamples))
    seed_of_cell = np.zeros(int(statistic.cell.max()) + 1, np.int64)
    seed_of_cell[statistic.cell] = rows.seed
    draws = []
    for start in range(0, num_resamples, block):
        weights = [multinomial(rng, size, min(block, num_resamples - start)) for size in sizes]
        total, count = sums(weights), counts(weights)  # [cells, r], [seeds, r]
        per_seed = np.zeros_like(count)
        np.add.at(per_seed, seed_of_cell, np.abs(total) if statistic.is_absolute else total)
        with np.errstate(invalid="ignore"):
            draws.append((per_seed / count).T)
    return np.concatenate(draws)


class _WeightedSums:
    """Sums of values within cells, each row weighing the product of its units' weights."""

    def __init__(
        self, axes: Sequence[Int[np.ndarray, " n"]], cell: Int[np.ndarray, " n"], values: np.ndarray
    ) -> None:
        # A row of one unit only is a row whose other unit is always drawn once.
        first, last = (axes[0] if len(axes) == 2 else np.zeros_like(axes[0])), axes[-1]
        order = np.lexsort((first, cell))
        key = cell[order] * (int(first.max()) + 1) + first[order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        self.last = torch.from_numpy(last[order])
        self.values = torch.from_numpy(values[order])
        self.starts = torch.from_numpy(starts)
        self.first = torch.from_numpy(first[order][starts])
        self.cell = torch.from_numpy(cell[order][starts])
        self.num_cells = int(cell.max()) + 1

    def __call__(self, weights: Sequence[torch.Tensor]) -> Any:
        """Sums [cells, r] under weights [units, r] of each axis."""
        # One bag a (cell, first unit): a sparse matrix product with the last axis's weights.
        bags = functional.embedding_bag(
            self.last, weights[-1], self.starts, mode="sum", per_sample_weights=self.values
        )
        if len(weights) == 2:
            bags = bags * weights[0][self.first]
        sums = torch.zeros(self.num_cells, bags.shape[1], dtype=bags.dtype)
        return sums.index_add_(0, self.cell, bags).numpy()


def multinomial(rng: np.random.Generator, units: int, resamples: int) -> torch.Tensor:
    """How often each unit was drawn, in as many draws as there are units [units, resamples]."""
    drawn = rng.integers(0, units, (resamples, units), dtype=np.int32) + np.arange(resamples)[:, None] * units
    counts = np.bincount(drawn.ravel(), minlength=resamples * units).reshape(resamples, units)
    return torch.from_numpy(np.ascontiguousarray(counts.T, np.float64))
