"""What the suite claims of a data set: leads over rivals, choices needed, and points lost to noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from eval.suite.measures import BAYES, Measures
from eval.suite.results import POOLED, Roles
from fsa.reports.bootstrap import Interval
from fsa.reports.row import Row

CLAIMED_AT = (3, 5, 10)
"""Choices seen where ours is claimed to be no worse than any rival."""
ALLOWED = 0.01
"""How far below a rival ours may be, a fraction."""
GAIN = 0.9
"""Share of the oracle's gain over pooled that choices are counted for."""
LEAD, NEEDED, LOST = "lead_accuracy", "choices_needed", "lost_accuracy"
"""Metrics: accuracy of the reference less a rival's; choices to reach `GAIN`; accuracy lost to noise."""


def holds(low: float) -> bool:
    """Whether a lead is at least minus `ALLOWED`, with 95 % confidence: the interval's low end is."""
    return round(low, 9) >= -ALLOWED


def leads(measures: Measures, roles: Roles) -> Iterator[Row]:
    """The reference less each rival on the same choices, in the mean and in the worst group."""
    accuracy = measures.by_metric["accuracy"]
    if roles.reference not in measures.methods:
        return
    for rival in [*roles.rivals, *roles.variants]:
        for size in [size for size in CLAIMED_AT if size in measures.sizes]:
            columns = (roles.reference, size), (rival, size)
            found = {"all": accuracy.difference(*columns, measures.all_users)}
            if len(measures.groups) > 1:
                found["worst"] = accuracy.worst_difference(*columns, measures.each_group)
            for group, lead in found.items():
                if lead is not None:
                    over = {"over": rival}
                    yield Row.of(lead, measures.name, roles.reference, group, size, LEAD, over)


def choices_needed(
    sizes: Sequence[int], accuracy: Float[np.ndarray, " sizes *r"], wanted: Float[np.ndarray, "*r"] | float
) -> Float[np.ndarray, "*r"]:
    """Choices after which an accuracy is first reached, straight lines between sizes; infinite if never.

    Args:
        sizes: Choices seen, ascending.
        accuracy: After so many choices.
        wanted: Accuracy to reach.

    Example:
        >>> choices_needed([0, 10], np.array([0.5, 0.9]), 0.7)
        array(5.)
    """
    needed = np.full(np.broadcast_shapes(np.shape(accuracy[0]), np.shape(wanted)), np.inf)
    for i in reversed(range(1, len(sizes))):
        is_crossed = (accuracy[i] >= wanted) & (accuracy[i - 1] < wanted)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (wanted - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
        needed = np.where(is_crossed, sizes[i - 1] + (sizes[i] - sizes[i - 1]) * part, needed)
    return np.where(accuracy[0] >= wanted, float(sizes[0]), needed)


def oracle_of(measures: Measures, roles: Roles) -> tuple[str, int] | None:
    """The column of an upper end: dedicated models, else the Bayes limit, after the most choices."""
    most = measures.sizes[-1]
    columns = [(name, most) for name in (*roles.oracles, BAYES)]
    accuracy = measures.by_metric["accuracy"]
    return next((one for one in columns if accuracy.value(one, measures.all_users) is not None), None)


def needed(measures: Measures, roles: Roles) -> Iterator[Row]:
    """Choices each method needs for `GAIN` of the oracle's gain over pooled; nothing where there is no gain.

    An interval's end that is not reached after the most choices seen is infinite, and None in JSON.
    """
    accuracy, sizes, most = measures.by_metric["accuracy"], measures.sizes, measures.sizes[-1]
    oracle, pooled = oracle_of(measures, roles), (POOLED, most)
    gain = oracle and accuracy.difference(oracle, pooled, measures.all_users)
    if oracle is None or gain is None or gain.low <= 0:
        return
    ends = [_both(measures, column) for column in (pooled, oracle)]
    wanted = [low + GAIN * (high - low) for low, high in zip(*ends, strict=True)]  # the value, the resamples
    for method in [name for name in measures.methods if name not in (*roles.oracles, POOLED)]:
        if any(accuracy.value((method, size), measures.all_users) is None for size in sizes):
            continue
        each = [_both(measures, (method, size)) for size in sizes]
        curve = [np.stack(one) for one in zip(*each, strict=True)]  # the values, the resamples
        value, drawn = (choices_needed(sizes, one, end) for one, end in zip(curve, wanted, strict=True))
        # 2.5th and 97.5th percentile of numbers that may be infinite: no line can be drawn between those.
        ordered = np.sort(drawn[~np.isnan(curve[1]).any(0)])
        low, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in (0.025, 0.975))
        mean = accuracy.mean((method, most), measures.all_users)
        assert mean is not None
        about = measures.name, method, "all", {"of": oracle[0]}, most, NEEDED
        yield Row(*about, float(value), low, high, mean.n, mean.seeds)


def _both(measures: Measures, column: tuple[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """A column's mean over all users, and the same in every resample."""
    accuracy = measures.by_metric["accuracy"]
    mean, drawn = accuracy.mean(column, measures.all_users), accuracy.resampled(column, measures.all_users)
    assert mean is not None, column
    assert drawn is not None, column
    return np.array(mean.value), drawn


Level = tuple[Interval, Float[np.ndarray, " r"]]
"""Accuracy of a method on a data set after the most choices, and the same in every resample."""


def levels(measures: Measures) -> dict[str, Level]:
    """That of every method."""
    accuracy, most = measures.by_metric["accuracy"], measures.sizes[-1]
    found = {}
    for method in measures.methods:
        mean = accuracy.mean((method, most), measures.all_users)
        drawn = accuracy.resampled((method, most), measures.all_users)
        if mean is not None and drawn is not None:
            found[method] = (mean, drawn)
    return found


def lost(
    name: str, share: float, size: int, clean: Mapping[str, Level], noisy: Mapping[str, Level]
) -> Iterator[Row]:
    """Accuracy that each method loses when a share of all choices is flipped.

    The two data sets are resampled apart, so the interval is wider than a paired one.
    """
    for method in [method for method in clean if method in noisy]:
        (before, before_drawn), (after, after_drawn) = clean[method], noisy[method]
        seeds = min(before.seeds, after.seeds)
        points = Interval.of(before.value - after.value, before_drawn - after_drawn, after.n, seeds)
        yield Row.of(points, name, method, "all", size, LOST, {"flipped": share})
