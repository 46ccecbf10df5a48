"""`rows_of_suite`: every number of the results page, as rows of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from eval.suite.claims import Level, leads, levels, lost, needed
from eval.suite.measures import BAYES, METRICS, Measures, shares
from eval.suite.results import Suite
from fsa.reports.row import Row, less_is_better

COSTS = {
    "train_alone_seconds": "training alone, s",
    "train_seconds": "training, s",
    "adapt_ms": "a new person, ms",
    "parameters": "parameters",
}
"""Metrics of what a method costs, and their titles."""


def rows_of_suite(suite: Suite, *, num_resamples: int = 1000) -> list[Row]:
    """All numbers, data set by data set; what was not measured has no row."""
    rows: list[Row] = []
    known: dict[str, dict[str, Level]] = {}
    most: dict[str, int] = {}
    for number, name in enumerate(suite.datasets):
        # Another seed for each, so that data sets are resampled independently.
        measures = Measures.of(suite, name, num_resamples=num_resamples, random_seed=number)
        rows += [*curves(measures), *leads(measures, suite.roles), *needed(measures, suite.roles)]
        rows += [
            Row.of(found, name, method, "all", size, "accuracy", {"conflicting": share})
            for method, size, share, found in shares(suite, name)
        ]
        rows += _costs(suite, name)
        known[name], most[name] = levels(measures), measures.sizes[-1]
    for clean, noisy, share in suite.noisy():
        rows += lost(noisy, share, most[noisy], known[clean], known[noisy])
    return rows


def curves(measures: Measures) -> Iterator[Row]:
    """Every metric by method and context size: for all, each group, the worst group, and each place."""
    for metric in METRICS:
        for method in [*measures.methods, *([BAYES] if metric == "accuracy" else [])]:
            for size in measures.sizes:
                yield from _numbers(measures, metric, method, size)
    for (method, size), error in measures.ece.items():
        yield Row.of(error, measures.name, method, "all", size, "ece")


def _numbers(measures: Measures, metric: str, method: str, size: int) -> Iterator[Row]:
    sums, column = measures.by_metric[metric], (method, size)
    name = "bayes_accuracy" if method == BAYES else metric
    of_all = sums.mean(column, measures.all_users)
    if of_all is not None:
        yield Row.of(of_all, measures.name, method, "all", size, name)
    if len(measures.groups) > 1:
        values = {group: sums.value(column, (part,)) for group, part in measures.groups.items()}
        known = {group: value for group, value in values.items() if value is not None}
        worst = (max if less_is_better(metric) else min)(known, key=lambda g: known[g], default=None)
        for group in known:
            # Intervals take their time: of single groups those of accuracy, and of the worst.
            if metric == "accuracy" or group == worst:
                one = sums.mean(column, (measures.groups[group],))
                assert one is not None, group
                row = Row.of(one, measures.name, method, group, size, name)
                yield row
                if group == worst and len(known) == len(values):
                    yield replace(row, group="worst")
    for place, parts in measures.places.items():
        found_there = sums.mean(column, parts)
        if found_there is not None:
            yield Row.of(found_there, measures.name, method, "all", size, name, {"targets": place})


def _costs(suite: Suite, name: str) -> Iterator[Row]:
    for method in dict.fromkeys(cell.method for cell in suite.of(name)):
        said = [cell.about for cell in suite.of(name, method)]
        timing: Sequence[Mapping[str, float]] = [one.get("timing") or {} for one in said]
        values = {
            "train_alone_seconds": [one["train_alone"] for one in timing if one.get("train_alone")],
            "train_seconds": [one["seconds"]["train"] for one in said if one.get("seconds")],
            "adapt_ms": [one["adapt_ms"] for one in timing if one.get("adapt_ms") is not None],
            "parameters": [one["parameters"] for one in said if one.get("parameters") is not None],
        }
        for metric, found in values.items():
            if found:
                value, low, high = float(np.mean(found)), float(min(found)), float(max(found))
                yield Row(name, method, "all", {}, 0, metric, value, low, high, len(found), len(found))
