"""`GridNumbers`: one number for each person and prompt, and the rows of a report that they become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from eval.generations.people import HeldOutUser
from fsa.reports.bootstrap import Interval
from fsa.reports.intervals import mean_interval
from fsa.reports.row import Row, worst


@dataclass(frozen=True)
class GridNumbers:
    """A number for each person and prompt that it is known of.

    Attributes:
        metric: Name of the number.
        size: Choices seen.
        value: The numbers [n].
        user, prompt: What intervals resample [n].
        group: Names [n].
        seed: Which training each is of [n].
        weight: What a number weighs, such as its tokens, where the metric is a ratio; else ones [n].
        slice: What they are limited to; see `Row`.
        fixed_users: Intervals resample prompts alone.
    """

    metric: str
    size: int
    value: np.ndarray
    user: np.ndarray
    prompt: np.ndarray
    group: np.ndarray
    seed: np.ndarray
    weight: np.ndarray
    slice: Mapping[str, Any] = field(default_factory=dict)
    fixed_users: bool = False

    @classmethod
    def grid(
        cls,
        metric: str,
        size: int,
        values: Float[np.ndarray, "p q"],
        subjects: Sequence[HeldOutUser],
        seed: int,
        slice: Mapping[str, Any] | None = None,
    ) -> GridNumbers:
        """From numbers of all people and prompts."""
        people, prompts = values.shape
        return cls(
            metric,
            size,
            values.reshape(-1),
            np.repeat([subject.number for subject in subjects], prompts),
            np.tile(np.arange(prompts), people),
            np.repeat(np.array([subject.group for subject in subjects], object), prompts),
            np.full(values.size, seed),
            np.ones(values.size),
            slice or {},
        )

    @property
    def key(self) -> tuple[str, int, str]:
        """What the numbers are about, whichever training they are of."""
        return self.metric, self.size, repr(sorted(self.slice.items()))

    def where(self, keep: np.ndarray) -> GridNumbers:
        """Some of the numbers."""
        columns: dict[str, Any] = {name: getattr(self, name)[keep] for name in _COLUMNS}
        return replace(self, **columns)

    def interval(self, fixed_users: bool = False) -> Interval:
        """Their mean, or ratio, over people, prompts and trainings."""
        units = [self.prompt] if fixed_users or self.fixed_users else [self.user, self.prompt]
        return mean_interval(self._linear(), units, seeds=self.seed)

    def _linear(self) -> np.ndarray:
        """Numbers whose mean, in each training, is sum of values / sum of weights.

        Reference:
            [Cochran1977] Sampling Techniques, Sec. 6.3: a ratio's spread is that of its linear terms.
        """
        linear = np.empty(len(self.value))
        for seed in np.unique(self.seed):
            here = self.seed == seed
            value, weight = self.value[here], self.weight[here]
            ratio = value.sum() / weight.sum()
            linear[here] = ratio + (value - ratio * weight) / weight.mean()
        return linear


_COLUMNS = ("value", "user", "prompt", "group", "seed", "weight")


def joined(parts: Iterable[GridNumbers]) -> list[GridNumbers]:
    """Numbers of several trainings as one for each metric, size and slice, in the order they came in."""
    found: dict[tuple[str, int, str], list[GridNumbers]] = {}
    for part in parts:
        found.setdefault(part.key, []).append(part)
    return [_concatenated(same) for same in found.values()]


def _concatenated(same: Sequence[GridNumbers]) -> GridNumbers:
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in same]) for name in _COLUMNS
    }
    return replace(same[0], **columns)


def rows_of(
    cells: GridNumbers, data: str, method: str, groups: Sequence[str], fixed_users: bool
) -> Iterator[Row]:
    """A row for all, each group, and the worst group; there is no all where a group is missing.

    Args:
        cells: The numbers.
        data, method: As they stand in the report.
        groups: All groups there are.
        fixed_users: See `HeldOutPanel`.
    """
    present = [group for group in groups if (cells.group == group).any()]
    is_whole = len(present) == len(groups)
    if is_whole:
        yield row(cells, data, method, "all", cells.interval(fixed_users))
    if is_whole and len(groups) == 1:
        return
    grouped = [
        row(cells, data, method, group, cells.where(cells.group == group).interval(fixed_users))
        for group in present
    ]
    yield from grouped
    if is_whole:
        yield worst(grouped)


def row(cells: GridNumbers, data: str, method: str, group: str, i: Interval) -> Row:
    """One row of a report."""
    return Row.of(i, data, method, group, cells.size, cells.metric, cells.slice)
