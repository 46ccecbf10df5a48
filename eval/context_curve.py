"""Accuracy by choices seen: `python -m eval.context_curve --run RUN --context-sizes 0,1,3,5,10`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from eval.methods import Data, Method, Settings, named, opened
from eval.predictions import Predictions
from fsa.errors import ConfigError
from fsa.metrics.intervals import Interval, ece_interval, mean_interval
from fsa.outputs.cli import run_recipe
from fsa.outputs.report import Report, Row
from fsa.outputs.runs import about_this_run

# Metrics of which less is better; the worst group has the most of them.
_LESS_IS_BETTER = frozenset({"nll", "ece"})


def context_curve(
    run: list[str],
    context_sizes: list[int] = [0, 1, 3, 5, 10],  # noqa: B006 (never changed; jsonargparse shows it)
    out: str | None = None,
    split: str = "test",
    episodes: int = 2000,
    max_targets: int = 20,
    seed: int = 1,
    trust_remote_code: bool = False,
) -> Report:
    """Measure how predictions improve with choices seen: per group, all, and the worst group.

    Every context size is measured on the same episodes and targets: the first choices of one context. Writes
    report.json, report.md and a plot.

    Args:
        run: Run folder; a quoted glob is one method whose folders are its seeds; `NAME=FOLDER` names the
            method. May be given several times.
        context_sizes: Choices seen, for example 0,1,3,5,10.
        out: Folder of the report; `RUN/eval` of the first run if not given.
        split: Which split to measure on: `validation` while choosing, `test` once.
        episodes: Episodes; users take turns.
        max_targets: Most choices predicted per episode.
        seed: Seed of the episodes.
        trust_remote_code: Run parts of the runs that are not fsa's own.

    Raises:
        ConfigError: There is no such run or split, two methods have one name, or a method's seeds are about
            different choices.
        CheckpointError: A run cannot be read, or holds parts that are foreign.
    """
    settings = Settings(context_sizes, split, episodes, max_targets, seed, trust_remote_code)
    methods = named(run)
    rows: list[Row] = []
    counts: dict[str, Any] = {}
    data: dict[str, Data] = {}
    steps = ((method.name, *part) for method in methods for part in measured(method, settings, data))
    total = len(methods) * len(settings.context_sizes)
    for name, size, predictions, seeds, at in track(
        steps, "measuring", total, console=Console(stderr=True), transient=True
    ):
        counts[at.name] = {"episodes": episodes, "context shorter than asked": at.num_shortened}
        rows += rows_of(predictions, seeds, at, name, size)
    command = "python -m eval.context_curve " + shlex.join(sys.argv[1:])
    about = about_this_run(command=command, split=split, seed=seed, counts=counts)
    report = Report(rows, about)
    folder = Path(out) if out else methods[0].runs[0] / "eval"
    report.save(folder)
    report.print_tables(Console())
    return report


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


def _metrics(predictions: Predictions, seeds: np.ndarray, at: Data) -> list[tuple[str, Interval]]:
    one_prompt = len(np.unique(at.table.prompt)) == 1
    units = [predictions.user] if one_prompt else [predictions.user, predictions.prompt]
    if at.fixed_users:
        units = [predictions.prompt]
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


if __name__ == "__main__":
    run_recipe(context_curve, repeatable=["run"])
