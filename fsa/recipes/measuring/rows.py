"""Rows of a report from the predictions of runs: per group, all, and the worst group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.runs import Data, Method, Settings, opened
from fsa.reports.bootstrap import Interval, ece_interval, mean_interval
from fsa.reports.row import Row

# Metrics of which less is better; the worst group has the most of them.
_LESS_IS_BETTER = frozenset({"nll", "ece"})


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
    covered = np.unique(predictions.group)
    rows = []
    if len(covered) == len(at.groups):
        rows = [_row(at, method, "all", size, *value) for value in _metrics(predictions, seeds, at)]
    if len(at.groups) < 2:
        return rows
    grouped = []
    for number in covered:
        name, keep = at.table.groups[int(number)].as_py(), predictions.group == number
        found = _metrics(predictions.where(keep), seeds[keep], at)
        grouped += [_row(at, method, name, size, *value) for value in found]
    return [*rows, *grouped, *(_worst(grouped) if rows else [])]


def _worst(grouped: Sequence[Row]) -> Iterator[Row]:
    for metric in dict.fromkeys(row.metric for row in grouped):
        pick = max if metric in _LESS_IS_BETTER else min
        worst = pick((row for row in grouped if row.metric == metric), key=lambda row: row.value or 0.0)
        yield replace(worst, group="worst")


def _units(predictions: Predictions, at: Data) -> list[np.ndarray]:
    """What is drawn anew for intervals."""
    if at.fixed_users:
        return [predictions.prompt]
    one_prompt = len(np.unique(at.table.prompt)) == 1
    return [predictions.user] if one_prompt else [predictions.user, predictions.prompt]


def _metrics(predictions: Predictions, seeds: np.ndarray, at: Data) -> list[tuple[str, Interval]]:
    told = ~np.isnan(predictions.correct)
    if not told.all():  # accuracy is about choices that are not ties alone
        nll = mean_interval(predictions.nll, _units(predictions, at), seeds=seeds)
        rest = _metrics(predictions.where(told), seeds[told], at) if told.any() else []
        return [("nll", nll), *((name, value) for name, value in rest if name != "nll")]
    units = _units(predictions, at)
    values = {
        "accuracy": predictions.correct,
        "nll": predictions.nll,
        "flip_accuracy": predictions.flip_correct,
    }
    if not np.isnan(predictions.bayes_correct).all():
        values["bayes_accuracy"] = predictions.bayes_correct
    found = [(name, mean_interval(value, units, seeds=seeds)) for name, value in values.items()]
    return [*found, ("ece", ece_interval(predictions.confidence, predictions.correct, units, seeds=seeds))]


def _row(at: Data, method: str, group: str, size: int, metric: str, i: Interval) -> Row:
    return Row(at.name, method, group, {}, size, metric, i.value, i.low, i.high, i.n, i.seeds)
