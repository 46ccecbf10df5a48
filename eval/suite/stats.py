"""`Resamples`: means, paired differences and worst groups of many methods, with 95 % intervals, all at once.

The intervals are those of `fsa.reports.bootstrap`: users and prompts are resampled, then seeds. Here the
choices of one user on one prompt are summed first, and all methods and context sizes share the same draws, so
that one matrix product serves a whole page.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from fsa.errors import ShapeError
from fsa.reports.bootstrap import Interval, multinomial, shrinkage

_CELLS_AT_ONCE = 20_000  # a block of weights is then 80 MB at 1000 resamples


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
    """A column's mean over some parts, and its sign in a contrast."""

    sign: int
    column: Hashable
    parts: tuple[int, ...]


class Resamples:
    """Sums of many columns under resampled users and prompts.

    A column that has no number in some cell of a part is unknown there: its means over that part are None.

    Args:
        cells: What the sums are of.
        sums: For each column, its sum over the choices of each cell; NaN where it was not measured.
        num_resamples: 1000 gives bounds to about a tenth of the interval's width.
        random_seed: Same seed, same intervals.

    Reference:
        [Owen2007] The pigeonhole bootstrap, Sec. 3: weights of users and prompts multiplied.
        [Cameron2011] Multiway clustering, Eq. 2.11: the spread that the resampled numbers are drawn in to.
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
        self.draws = np.zeros((*shape, values.shape[1], num_resamples), np.float32)
        rng = np.random.default_rng(random_seed)
        weights = [multinomial(rng, int(axis.max()) + 1, num_resamples).T.float() for axis in cells.axes]
        self._blocks: dict[tuple[int, ...], np.ndarray] = {}
        for block in np.ndindex(shape):
            here = np.flatnonzero((cells.seed == block[0]) & (cells.part == block[1]))
            self._blocks[block] = here
            self.covered[block] = known[here].all(0)
            self.totals[block] = self.values[here].sum(0)
            self.draws[block] = _weighted(weights, cells.axes, here, self.values)
        # Which seed each resample takes for its first, second, ... seed; the same for all columns.
        self._turns = rng.random((num_resamples, shape[0]))

    def mean(self, column: Hashable, parts: Sequence[int]) -> Interval | None:
        """Mean over the choices of some parts, of each seed and then of the seeds; None where unknown."""
        return self._interval((_Term(1, column, tuple(parts)),))

    def value(self, column: Hashable, parts: Sequence[int]) -> float | None:
        """The mean without its interval, which is what takes time."""
        terms = (_Term(1, column, tuple(parts)),)
        seeds = self._seeds(terms)
        return self._value(terms, seeds) if seeds else None

    def difference(self, column: Hashable, other: Hashable, parts: Sequence[int]) -> Interval | None:
        """Mean of a column less that of another on the same choices, over the seeds that both have."""
        return self._interval((_Term(1, column, tuple(parts)), _Term(-1, other, tuple(parts))))

    def worst_difference(
        self, column: Hashable, other: Hashable, groups: Sequence[Sequence[int]]
    ) -> Interval | None:
        """Lowest mean of any group less the lowest of the other column, whichever groups those are.

        Every resample looks for the worst groups anew, so that doubt about which they are is in the interval.
        The worst of noisy numbers is lower on average than the worst of their means; that shift is taken off.
        """
        each = [[_Term(1, name, tuple(parts)) for parts in groups] for name in (column, other)]
        seeds = self._seeds([*each[0], *each[1]])
        if not groups or not seeds:
            return None
        mine, theirs = (min(terms, key=lambda term: self._value((term,), seeds)) for terms in each)
        worst = (mine, replace(theirs, sign=-1))
        value, n = self._value(worst, seeds), self._n(worst[0], seeds)
        factor = self._factor(worst, seeds)
        lowest = [
            np.min([self._over_seeds((term,), seeds, factor) for term in terms], axis=0) for terms in each
        ]
        draws = lowest[0] - lowest[1]
        low, high = np.nanquantile(draws + value - np.nanmean(draws), [0.025, 0.975])
        return Interval(value, float(low), float(high), n, len(seeds))

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
        low, high = np.nanquantile(draws, [0.025, 0.975])
        value = self._value(terms, seeds)
        return Interval(value, float(low), float(high), self._n(terms[0], seeds), len(seeds))

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
        """The contrast of each seed."""
        value = np.zeros(len(seeds))
        for term in terms:
            sums = self.totals[np.ix_(seeds, term.parts)].sum(1)
            value += term.sign * sums[:, self.columns[term.column]] / sums[:, -1]
        return value

    def _value(self, terms: Sequence[_Term], seeds: list[int]) -> float:
        return float(self._values(terms, seeds).mean())

    def _n(self, term: _Term, seeds: list[int]) -> int:
        return round(float(self.totals[np.ix_(seeds, term.parts)][..., -1].sum(1).mean()))

    def _drawn(self, terms: Sequence[_Term], seeds: list[int]) -> Float[np.ndarray, "seeds r"]:
        """The contrast of each seed in each resample; NaN where no choice was drawn."""
        value: np.ndarray = np.zeros((len(seeds), self.draws.shape[-1]))
        for term in terms:
            sums, counts = (
                self.draws[:, :, column][np.ix_(seeds, term.parts)].sum(1, dtype=np.float64)
                for column in (self.columns[term.column], -1)
            )
            with np.errstate(invalid="ignore"):
                value += term.sign * sums / counts
        return value

    def _over_seeds(self, terms: Sequence[_Term], seeds: list[int], factor: float) -> Float[np.ndarray, " r"]:
        values = self._values(terms, seeds)[:, None]
        drawn = (values + factor * (self._drawn(terms, seeds) - values)).T  # [r, seeds]
        picked = (self._turns[:, : len(seeds)] * len(seeds)).astype(np.int64)
        return np.take_along_axis(drawn, picked, 1).mean(1)

    def _factor(self, terms: Sequence[_Term], seeds: list[int]) -> float:
        """See `fsa.reports.bootstrap`: multiplied weights count the chance of a single choice three times."""
        if len(self.cells.axes) == 1:
            return 1.0
        here, influence = self._influence(terms, seeds)
        axes = [axis[here] for axis in self.cells.axes]
        return shrinkage(axes, influence, self._drawn(terms, seeds).mean(0))

    def _influence(self, terms: Sequence[_Term], seeds: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Cells (one may come twice), and what each adds to the contrast's deviation, to first order."""
        cells, influence = [], []
        for term in terms:
            column = self.values[:, self.columns[term.column]]
            for seed in seeds:
                here = np.concatenate([self._blocks[seed, part] for part in term.parts])
                count = self.cells.count[here]
                deviation = column[here] - column[here].sum() / count.sum() * count
                cells.append(here)
                influence.append(term.sign * deviation / (count.sum() * len(seeds)))
        return np.concatenate(cells), np.concatenate(influence)


def _weighted(
    weights: Sequence[torch.Tensor],
    axes: Sequence[Int[np.ndarray, " c"]],
    here: Int[np.ndarray, " m"],
    values: Float[np.ndarray, "c columns"],
) -> Float[np.ndarray, "columns r"]:
    """Sums of some cells in every resample, each cell weighing the product of its units' weights."""
    total = torch.zeros(weights[0].shape[0], values.shape[1])
    for start in range(0, len(here), _CELLS_AT_ONCE):
        cells = here[start : start + _CELLS_AT_ONCE]
        weight = weights[0][:, torch.from_numpy(axes[0][cells])]
        if len(axes) == 2:
            weight *= weights[1][:, torch.from_numpy(axes[1][cells])]
        total += weight @ torch.from_numpy(values[cells].astype(np.float32))
    return total.T.numpy()
