"""`Resamples`: the one bootstrap, of means, differences, worst groups and calibration errors.

Choices are not independent: those of one user share a taste, those of one prompt a difficulty. So users and
prompts are resampled, not choices: a choice counts as often as its user was drawn times its prompt was drawn.
Then trainings (seeds) are resampled. The choices of one user on one prompt are summed first, and all columns
of numbers share the same draws, so that one matrix product serves a whole page.

References:
    [Owen2007] The pigeonhole bootstrap, Sec. 3: weights of users and prompts multiplied.
    [Cameron2011] Robust inference with multiway clustering, Eq. 2.11: the variance of crossed samples, which
    the resampled numbers are shrunk to. Product weights count the residual variance three times.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from fsa.errors import ShapeError

_CELLS_AT_ONCE = 8_000  # a block of weights is then 64 MB at 1000 resamples


@dataclass(frozen=True)
class Interval:
    """A number and the interval around it.

    Attributes:
        value: The mean of the seeds' numbers, all choices of one seed weighing the same.
        low, high: 2.5th and 97.5th percentile of the resampled number.
        n: Predictions by each seed (their mean, rounded).
        seeds: Trainings that were averaged.
    """

    value: float
    low: float
    high: float
    n: int
    seeds: int

    @classmethod
    def of(cls, value: float, draws: Float[np.ndarray, " r"], n: int, seeds: int = 1) -> Interval:
        """From a number and its resampled values."""
        low, high = np.nanquantile(draws, [0.025, 0.975])
        return cls(float(value), float(low), float(high), n, seeds)


@dataclass(frozen=True)
class Cells:
    """Where sums come from: what one user said on one prompt, by seed and part; labels are counted from 0.

    Attributes:
        seed: Which training [c].
        part: Which part of the data, such as a group [c]. A user's cells may lie in several.
        axes: What is resampled, one or two labels a cell: users, prompts, or both.
        count: Choices in each cell, at least 1 [c].
    """

    seed: Int[np.ndarray, " c"]
    part: Int[np.ndarray, " c"]
    axes: tuple[Int[np.ndarray, " c"], ...]
    count: Float[np.ndarray, " c"]

    def __post_init__(self) -> None:
        lengths = {len(label) for label in (self.seed, self.part, self.count, *self.axes)}
        if len(self.axes) not in (1, 2) or len(lengths) != 1 or not len(self.count):
            raise ShapeError(f"cells need one or two axes and labels of one length, came lengths {lengths}")


@dataclass(frozen=True)
class _Term:
    """A column's mean over some parts, or that of the parts' absolute sums; and its weight in a total."""

    weight: float
    column: Hashable
    parts: tuple[int, ...]
    is_absolute: bool = False

    def of(self, sums: Float[np.ndarray, "seeds parts *r"]) -> Float[np.ndarray, " seeds *r"]:
        return (np.abs(sums) if self.is_absolute else sums).sum(1)


class Resamples:
    """Sums of many columns under resampled users and prompts.

    A column that has no number in some cell of a part is unknown there: its means over that part are None.

    Args:
        cells: What the sums are of.
        sums: For each column, its sum over the choices of each cell; NaN where it was not measured.
        num_resamples: 1000 gives bounds to about a tenth of the interval's width.
        random_seed: Same seed, same intervals.
    """

    def __init__(
        self,
        cells: Cells,
        sums: Mapping[Any, Float[np.ndarray, " c"]],
        *,
        num_resamples: int = 1000,
        random_seed: int = 0,
    ) -> None:
        self.cells, self.columns = cells, {name: i for i, name in enumerate(sums)}
        values = np.stack([*sums.values(), cells.count], 1)  # the count is one more column
        known = ~np.isnan(values)
        self.values = np.where(known, values, 0)
        shape = (int(cells.seed.max()) + 1, int(cells.part.max()) + 1)
        self.covered = np.ones((*shape, values.shape[1]), bool)
        self.totals = np.zeros((*shape, values.shape[1]))
        self.draws = np.zeros((*shape, values.shape[1], num_resamples))
        rng = np.random.default_rng(random_seed)
        weights = [draw(rng, int(axis.max()) + 1, num_resamples) for axis in cells.axes]
        self._blocks: dict[tuple[int, ...], np.ndarray] = {}
        for block in np.ndindex(shape):
            here = np.flatnonzero((cells.seed == block[0]) & (cells.part == block[1]))
            self._blocks[block] = here
            self.covered[block] = known[here].all(0)
            self.totals[block] = self.values[here].sum(0)
            self.draws[block] = _weighted(weights, cells.axes, here, self.values)
        # Which seed each resample takes for its first, second, ... seed; the same for all columns.
        self._turns = rng.random((num_resamples, shape[0]))

    def mean(self, column: Hashable, parts: Sequence[int] = (0,)) -> Interval | None:
        """Mean over the choices of some parts, of each seed and then of the seeds; None where unknown."""
        return self._interval((_Term(1, column, tuple(parts)),))

    def value(self, column: Hashable, parts: Sequence[int] = (0,)) -> float | None:
        """The mean without its interval, which is what takes time."""
        terms = (_Term(1, column, tuple(parts)),)
        seeds = self._seeds(terms)
        return float(self._values(terms, seeds).mean()) if seeds else None

    def mean_of_parts(self, column: Hashable, parts: Sequence[int]) -> Interval | None:
        """Mean of the parts' own means, each weighing the same whatever its number of choices."""
        terms = tuple(_Term(1, column, (part,)) for part in parts)
        total = self._interval(terms)
        if total is None:
            return None
        value, low, high = (end / len(parts) for end in (total.value, total.low, total.high))
        return Interval(value, low, high, self._n(terms, self._seeds(terms)), total.seeds)

    def absolute(self, column: Hashable, parts: Sequence[int]) -> Interval | None:
        """Sum of the parts' absolute sums, over all choices: a calibration error, where parts are bins.

        Resamples add noise to absolute sums, and are larger on average than the value: that excess is taken
        off.
        """
        found = self._interval((_Term(1, column, tuple(parts), is_absolute=True),))
        return found and replace(found, low=max(found.low, 0.0))

    def absolute_beyond(
        self, column: Hashable, others: Sequence[Hashable], parts: Sequence[int]
    ) -> Interval | None:
        """`absolute` of a column, less its mean over some others on the same choices."""
        mine = _Term(1, column, tuple(parts), is_absolute=True)
        return self._interval((mine, *(replace(mine, weight=-1 / len(others), column=o) for o in others)))

    def difference(self, column: Hashable, other: Hashable, parts: Sequence[int] = (0,)) -> Interval | None:
        """Mean of a column less that of another on the same choices, over the seeds that both have."""
        return self._interval((_Term(1, column, tuple(parts)), _Term(-1, other, tuple(parts))))

    def worst_difference(
        self, column: Hashable, other: Hashable, groups: Sequence[Sequence[int]]
    ) -> Interval | None:
        """Lowest mean of any group less the lowest of the other column, whichever groups those are.

        Every resample looks for the worst groups anew, among those that it holds, so that doubt about which
        they are is in the interval.
        The worst of noisy numbers is lower on average than the worst of their means; that shift is taken
        off.
        """
        each = [[_Term(1, name, tuple(parts)) for parts in groups] for name in (column, other)]
        seeds = self._seeds([*each[0], *each[1]])
        if not groups or not seeds:
            return None
        mine, theirs = (min(terms, key=lambda t: self._values((t,), seeds).mean()) for terms in each)
        worst = (mine, replace(theirs, weight=-1))
        value, factor = float(self._values(worst, seeds).mean()), self._factor(worst, seeds)
        lowest = [
            np.fmin.reduce([self._over_seeds((term,), seeds, factor) for term in terms]) for terms in each
        ]
        draws = lowest[0] - lowest[1]
        draws = draws + value - np.nanmean(draws)
        return Interval.of(value, draws, self._n(worst[:1], seeds), len(seeds))

    def resampled(self, column: Hashable, parts: Sequence[int]) -> Float[np.ndarray, " r"] | None:
        """The mean of a column in every resample; None where unknown. The same draws for all columns."""
        terms = (_Term(1, column, tuple(parts)),)
        seeds = self._seeds(terms)
        return self._over_seeds(terms, seeds, self._factor(terms, seeds)) if seeds else None

    def _interval(self, terms: Sequence[_Term]) -> Interval | None:
        seeds = self._seeds(terms)
        if not seeds:
            return None
        draws = self._over_seeds(terms, seeds, self._factor(terms, seeds))
        return Interval.of(self._values(terms, seeds).mean(), draws, self._n(terms[:1], seeds), len(seeds))

    def _seeds(self, terms: Sequence[_Term]) -> list[int]:
        """Seeds that know every term."""
        return [
            seed
            for seed in range(len(self.totals))
            if all(
                term.column in self.columns
                and self.covered[seed, list(term.parts), self.columns[term.column]].all()
                and self.totals[seed, list(term.parts), -1].sum() > 0
                for term in terms
            )
        ]

    def _values(self, terms: Sequence[_Term], seeds: list[int]) -> Float[np.ndarray, " seeds"]:
        """The sum of the terms, of each seed."""
        value = np.zeros(len(seeds))
        for term in terms:
            sums = self.totals[np.ix_(seeds, term.parts)]
            value += term.weight * term.of(sums[..., self.columns[term.column]]) / sums[..., -1].sum(1)
        return value

    def _n(self, terms: Sequence[_Term], seeds: list[int]) -> int:
        counts = [self.totals[np.ix_(seeds, term.parts)][..., -1].sum(1) for term in terms]
        return round(float(np.sum(counts, 0).mean()))

    def _drawn(self, terms: Sequence[_Term], seeds: list[int]) -> Float[np.ndarray, "seeds r"]:
        """The sum of the terms of each seed in each resample; NaN where no choice was drawn."""
        value: np.ndarray = np.zeros((len(seeds), self.draws.shape[-1]))
        for term in terms:
            sums, counts = (
                self.draws[:, :, column][np.ix_(seeds, term.parts)]
                for column in (self.columns[term.column], -1)
            )
            with np.errstate(invalid="ignore"):
                drawn = term.of(sums) / counts.sum(1)
            if term.is_absolute:
                own = self._values((replace(term, weight=1),), seeds)
                drawn += own[:, None] - np.nanmean(drawn, 1, keepdims=True)
            value += term.weight * drawn
        return value

    def _over_seeds(self, terms: Sequence[_Term], seeds: list[int], factor: float) -> Float[np.ndarray, " r"]:
        values = self._values(terms, seeds)[:, None]
        drawn = (values + factor * (self._drawn(terms, seeds) - values)).T  # [r, seeds]
        picked = (self._turns[:, : len(seeds)] * len(seeds)).astype(np.int64)
        return np.take_along_axis(drawn, picked, 1).mean(1)

    def _factor(self, terms: Sequence[_Term], seeds: list[int]) -> float:
        """Factor, 0-1, that gives resampled deviations their closed-form spread; 1 for a single axis."""
        if len(self.cells.axes) == 1:
            return 1.0
        spread = float(np.nanstd(self._drawn(terms, seeds).mean(0)))
        here, influence = self._influence(terms, seeds)
        first, second = (axis[here] for axis in self.cells.axes)
        pair = np.unique(first * (second.max() + 1) + second, return_inverse=True)[1]
        by_first, by_second, by_pair = (
            float(np.square(np.bincount(label, weights=influence)).sum()) for label in (first, second, pair)
        )
        # Each axis counts the noise of single choices once: take one off, but never fall below either axis.
        variance = max(by_first + by_second - by_pair, by_first, by_second)
        return min(1.0, variance**0.5 / spread) if spread else 1.0

    def _influence(self, terms: Sequence[_Term], seeds: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Cells (one may come twice), and what each adds to the deviation of the sum, to first order."""
        cells, influence = [], []
        for term in terms:
            values = self.values[:, self.columns[term.column]]
            for seed in seeds:
                blocks = [self._blocks[seed, part] for part in term.parts]
                signs = [np.sign(values[b].sum()) if term.is_absolute else 1.0 for b in blocks]
                here, sign = np.concatenate(blocks), np.repeat(signs, [len(b) for b in blocks])
                count, value = self.cells.count[here], sign * values[here]
                cells.append(here)
                deviation = value - value.sum() / count.sum() * count
                influence.append(term.weight * deviation / (count.sum() * len(seeds)))
        return np.concatenate(cells), np.concatenate(influence)


def draw(rng: np.random.Generator, units: int, resamples: int) -> Float[np.ndarray, "r units"]:
    """How often each unit was drawn, in as many draws as there are units."""
    drawn = rng.integers(0, units, (resamples, units), dtype=np.int32) + np.arange(resamples)[:, None] * units
    counts = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counts.reshape(resamples, units).astype(np.float64)


def _weighted(
    weights: Sequence[Float[np.ndarray, "r units"]],
    axes: Sequence[Int[np.ndarray, " c"]],
    here: Int[np.ndarray, " m"],
    values: Float[np.ndarray, "c columns"],
) -> Float[np.ndarray, "columns r"]:
    """Sums of some cells in every resample, each cell weighing the product of its units' weights."""
    total = np.zeros((len(weights[0]), values.shape[1]))
    for start in range(0, len(here), _CELLS_AT_ONCE):
        cells = here[start : start + _CELLS_AT_ONCE]
        weight = weights[0][:, axes[0][cells]]
        if len(axes) == 2:
            weight *= weights[1][:, axes[1][cells]]
        total += weight @ values[cells]
    return total.T
