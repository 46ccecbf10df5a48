"""Rows of a report from the predictions of runs: per group, all, and the worst group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.runs import Data, Method, Settings, opened
from fsa.reports.bootstrap import Interval
from fsa.reports.intervals import ece_interval, paired_interval, resampled
from fsa.reports.row import Row, worst

GAIN = "gain_in_accuracy"
"""Metric: accuracy less another method's on the same choices."""


def measured(
    method: Method, settings: Settings, known: dict[str, Data]
) -> Iterator[tuple[int, Predictions, np.ndarray, Data]]:
    """Predictions of all seeds of a method at each context size, and which seed each row is of.

    Args:
        method: Name and runs.
        settings: How to measure.
        known: Data of earlier methods, by configuration; is added to.

    Raises:
        ConfigError: The runs are about different choices.
    """
    runs = [opened(folder, settings, known) for folder in method.runs]
    at = runs[0].at
    if any(run.at is not at for run in runs):
        raise ConfigError(f"--run {method.name}: its runs have different sources or splits; give them apart")
    for size in settings.context_sizes:
        parts = [run.predict(size) for run in runs]
        # Dedicated models of one seed share its number, each covers its own group.
        seeds = np.repeat([run.seed for run in runs], [len(part.user) for part in parts])
        yield size, Predictions.concatenate(parts), seeds, at


def rows_of(predictions: Predictions, seeds: np.ndarray, at: Data, method: str, size: int) -> list[Row]:
    """Every metric for all, each group, and the worst group; a group alone is no all."""

    def rows_where(keep: np.ndarray, group: str) -> list[Row]:
        found = _metrics(predictions.where(keep), seeds[keep], at)
        return [Row.of(interval, at.name, method, group, size, metric) for metric, interval in found]

    covered, rows = np.unique(predictions.group), list[Row]()
    if len(covered) == len(at.groups):
        rows = rows_where(np.ones(len(seeds), bool), "all")
    if len(at.groups) < 2:
        return rows
    names = at.table.groups.to_pylist()
    grouped = [rows_where(predictions.group == number, names[number]) for number in covered]
    worsts = [worst(of_metric) for of_metric in zip(*grouped, strict=True)] if rows else []
    return [*rows, *(row for of_group in grouped for row in of_group), *worsts]


class Seen(NamedTuple):
    """Predictions of a method at one context size, and which seed each row is of [n]."""

    predictions: Predictions
    seeds: np.ndarray


def gains(ours: Seen, theirs: Seen, at: Data, method: str, size: int) -> list[Row]:
    """By how much one method's accuracy and NLL are above another's, paired, for all and each group.

    Raises:
        ConfigError: The two did not predict the same choices with the same seeds.
    """
    mine, other = ours.predictions, theirs.predictions
    if not (np.array_equal(mine.row, other.row) and np.array_equal(ours.seeds, theirs.seeds)):
        raise ConfigError(f"{method}: not the same choices and seeds; only such are compared")
    names, told = at.table.groups.to_pylist(), ~np.isnan(mine.correct)
    parts = {"all": told} | {names[number]: told & (mine.group == number) for number in np.unique(mine.group)}
    found = []
    for group, keep in parts.items() if len(parts) > 2 else [("all", told)]:
        by = _units(mine.where(keep), at)
        for metric, one, two in (
            (GAIN, mine.correct, other.correct),
            ("gain_in_nll", mine.nll, other.nll),
        ):
            interval = paired_interval(one[keep], two[keep], by, seeds=ours.seeds[keep])
            found.append(Row.of(interval, at.name, method, group, size, metric))
    return found


def _units(predictions: Predictions, at: Data) -> list[np.ndarray]:
    """What is drawn anew for intervals."""
    if at.fixed_users:
        return [predictions.prompt]
    one_prompt = len(np.unique(at.table.prompt)) == 1
    return [predictions.user] if one_prompt else [predictions.user, predictions.prompt]


def _metrics(predictions: Predictions, seeds: np.ndarray, at: Data) -> list[tuple[str, Interval]]:
    told = ~np.isnan(predictions.correct)
    if not told.all():  # accuracy is about choices that are not ties alone
        nll = resampled({"nll": predictions.nll}, _units(predictions, at), seeds=seeds).mean("nll")
        rest = _metrics(predictions.where(told), seeds[told], at) if told.any() else []
        return [*([("nll", nll)] if nll else []), *((name, value) for name, value in rest if name != "nll")]
    units = _units(predictions, at)
    values = {
        "accuracy": predictions.correct,
        "nll": predictions.nll,
        "flip_accuracy": predictions.flip_correct,
    }
    if not np.isnan(predictions.bayes_correct).all():
        values["bayes_accuracy"] = predictions.bayes_correct
    sums = resampled(values, units, seeds=seeds)
    found = [(name, interval) for name in values if (interval := sums.mean(name))]
    return [*found, ("ece", ece_interval(predictions.confidence, predictions.correct, units, seeds=seeds))]
