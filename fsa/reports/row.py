"""`Row`: one number of a report, with everything needed to read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from fsa.errors import ConfigError
from fsa.reports.bootstrap import Interval

_LESS_IS_BETTER = frozenset(
    {"nll", "ece", "reversed_movement", "kl_per_token", "kl_per_answer", "reference_surprise"}
)

Key = tuple[str, str, str, str, int, str]


@dataclass(frozen=True)
class Row:
    """One number. Later metrics and slices are more rows, never another layout.

    Attributes:
        data: Name of the data set.
        method: Name of what made the predictions.
        group: "all", "worst", or the users' group. "worst" is the worst number of any group at this context
            size (the lowest accuracy, the highest NLL); which group that is may differ between sizes.
        slice: What the rows are limited to, such as `{"length_matched": true}`; empty for everything.
        context_size: Choices seen of each user.
        metric: `accuracy`, `nll`, `ece`, `bayes_accuracy`, `flip_accuracy`, or any other name.
        value: The number: a fraction 0-1, nats, or what the metric says. None where it is not defined.
        low, high: Ends of the 95 % interval, None where there is none.
        n: Predictions by each seed; a choice is predicted anew in every episode that it is a target of.
        seeds: Trainings that the value is the mean of.
    """

    data: str
    method: str
    group: str
    slice: Mapping[str, Any]
    context_size: int
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    seeds: int

    @classmethod
    def of(
        cls,
        interval: Interval,
        data: str,
        method: str,
        group: str,
        context_size: int,
        metric: str,
        slice: Mapping[str, Any] | None = None,
    ) -> Row:
        """A number with its interval."""
        i = interval
        return cls(
            data, method, group, slice or {}, context_size, metric, i.value, i.low, i.high, i.n, i.seeds
        )

    @property
    def slice_name(self) -> str:
        """The slice in words; "" for everything."""
        return ", ".join(f"{name} = {value}" for name, value in sorted(self.slice.items()))

    @property
    def key(self) -> Key:
        """What the number is about; two rows with one key are about the same thing."""
        return (self.data, self.slice_name, self.metric, self.method, self.context_size, self.group)

    def to_json(self) -> dict[str, Any]:
        """The row as JSON allows it, fields in the documented order; what is not a number is None."""
        row = {name: getattr(self, name) for name in FIELDS}
        for name in ("value", "low", "high"):
            is_number = row[name] is not None and math.isfinite(row[name])
            row[name] = float(row[name]) if is_number else None
        return row | {"slice": dict(self.slice)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Row:
        """The row that `to_json` gave.

        Raises:
            ConfigError: Fields are missing or unknown.
        """
        if set(stored) != set(FIELDS):
            wrong = ", ".join(sorted(set(stored) ^ set(FIELDS)))
            raise ConfigError(f"a report row has the fields {', '.join(FIELDS)}; missing or unknown: {wrong}")
        return cls(**stored)


FIELDS = tuple(f.name for f in fields(Row))


def worst(rows: Sequence[Row]) -> Row:
    """The worst group's row of those of all groups, as the row of "worst"."""
    pick = max if less_is_better(rows[0].metric) else min
    return replace(pick(rows, key=lambda row: row.value or 0.0), group="worst")


def less_is_better(metric: str) -> bool:
    """Whether the worst number of a metric is the largest."""
    return metric in _LESS_IS_BETTER


def is_fraction(metric: str) -> bool:
    """Whether a metric is a fraction 0-1, to be shown in percent."""
    return metric == "ece" or metric.endswith(("accuracy", "rate", "fraction", "share"))
