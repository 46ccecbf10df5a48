"""Everything that people can say of options, beside its Bayes limit: `python -m eval.outcomes`."""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from fsa.cli.recipes import run_recipe
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.rows import measured, rows_of
from fsa.recipes.measuring.runs import Data, Method, Settings
from fsa.recipes.reward import train_reward
from fsa.reports.bootstrap import Interval, paired_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import WEIGHTS, about_this_run

SHORT = "short_of_bayes_accuracy"
"""Metric: Bayes accuracy less accuracy on the same choices, a fraction."""
ACTIVE = "active_dims"
"""Metric: dimensions of a belief whose mean KL was above 0.01 nats at the last logged step of training."""

_BASE = ("configs/reward/sandbox.yaml", "configs/reward/outcomes/pairs.yaml")
_HERE = "configs/reward/outcomes/"


@dataclass(frozen=True)
class Trial:
    """One method on one kind of outcome.

    Attributes:
        data: What people said, as it stands in the report.
        method: Likelihood and who is asked, as it stands in the report.
        overlays: Configurations over that of pairs.
    """

    data: str
    method: str
    overlays: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of its run folders, before the seed."""
        return "".join(c if c.isalnum() else "-" for c in f"{self.data} {self.method}").lower()

    def train(self, out: Path, seed: int) -> None:
        """Train one seed and write its run folder."""
        configs = [part for path in (*_BASE, *self.overlays) for part in ("--config", path)]
        quiet = ["--loop.progress", "false", "--overwrite", "true"]
        run_recipe(train_reward, [*configs, *quiet, "--seed", str(seed), "--out", str(out)])


TRIALS = (
    Trial("pairs", "NP, Bradley-Terry-Luce"),
    Trial("picks of 4", "NP, Bradley-Terry-Luce", (_HERE + "picks.yaml",)),
    Trial("rankings of 4", "NP, Plackett-Luce", (_HERE + "rankings.yaml",)),
    Trial("pairs or ties", "NP, Davidson", (_HERE + "ties.yaml",)),
    Trial("pairs", "NP, mean-variance", (_HERE + "normal.yaml",)),
    Trial("pairs", "DPL (no context)", ("configs/baseline/dpl.yaml",)),
    Trial("pairs", "VPL", ("configs/baseline/vpl.yaml",)),
)


def outcomes(
    seeds: int = 1,
    context_sizes: list[int] = [1, 3, 10],  # noqa: B006
    episodes: int = 1000,
    split: str = "test",
    only: str = "",
    reuse: bool = False,
    out: str = "runs/outcomes",
) -> Report:
    """Train on each kind of outcome of the sandbox, test on new people and prompts, beside the Bayes limit.

    A prediction is one option, the likeliest to be picked; it is right where that option is best or tied for
    best. The Bayes limit is the accuracy of that same rule with the true probabilities given the context.

    Args:
        seeds: Trainings of each method.
        context_sizes: Choices seen.
        episodes: Test episodes; people take turns.
        split: Which split to measure on: `validation` while choosing, `test` once.
        only: Only trials whose data or method holds this text.
        reuse: Measure the runs that are there already, and train the others only.
        out: Folder of the runs and the report.
    """
    folder, rows = Path(out), list[Row]()
    settings = Settings(context_sizes, split, episodes, 20, seed=1)
    data: dict[str, Data] = {}  # pairs are read by several methods
    for trial in TRIALS:
        if only in trial.data or only in trial.method:
            runs = tuple(folder / f"{trial.folder}-{seed}" for seed in range(seeds))
            for seed, run in enumerate(runs):
                if not (reuse and (run / WEIGHTS).exists()):
                    trial.train(run, seed)
            rows += _rows(trial, runs, settings, data)
    command = "python -m eval.outcomes " + shlex.join(sys.argv[1:])
    report = Report(rows, about_this_run(command=command, split=split, episodes=episodes))
    report.save(folder)
    console = Console()
    console.width = max(console.width, 130)  # without a terminal it is 80, too few for the words
    console.print(_summary(rows, max(context_sizes)))
    return report


def _rows(trial: Trial, runs: tuple[Path, ...], settings: Settings, data: dict[str, Data]) -> Iterator[Row]:
    for size, predictions, seeds, at in measured(Method(trial.method, runs), settings, data):
        found = [*rows_of(predictions, seeds, at, trial.method, size)]
        short = short_of_bayes(predictions, seeds)
        found.append(_row(trial, size, SHORT, short))
        yield from (replace(row, data=trial.data) for row in found)
    active = [dims for run in runs if (dims := last_logged(run / "metrics.csv", "train/active_dims"))]
    if active:
        most = max(settings.context_sizes)
        n = len(active)
        yield _row(trial, most, ACTIVE, Interval(float(np.mean(active)), min(active), max(active), n, n))


def short_of_bayes(predictions: Predictions, seeds: np.ndarray) -> Interval:
    """Bayes accuracy less accuracy, paired by choice, over people and prompts."""
    by = [predictions.user, predictions.prompt]
    return paired_interval(predictions.bayes_correct, predictions.correct, by, seeds=seeds)


def last_logged(metrics: Path, name: str) -> float | None:
    """The last value of a metric in a run's `metrics.csv`, or None where it was never logged."""
    with metrics.open(newline="", encoding="utf-8") as stream:
        values = [value for row in csv.DictReader(stream) if (value := row.get(name))]
    return float(values[-1]) if values else None


def _row(trial: Trial, size: int, metric: str, i: Interval) -> Row:
    return Row(trial.data, trial.method, "all", {}, size, metric, i.value, i.low, i.high, i.n, i.seeds)


def _summary(rows: list[Row], size: int) -> Table:
    """One line a trial at the largest context: accuracy, its limit, and what is missing."""
    columns = ("accuracy", "bayes_accuracy", SHORT, ACTIVE)
    titles = ("accuracy", "Bayes limit", "short of it [95 %]", "active dims")
    table = Table("people say", "method", *titles, "n", "seeds", title=f"after {size} choices", min_width=110)
    found = {(row.data, row.method, row.metric): row for row in rows if _is_about(row, size)}
    for data, method in dict.fromkeys((row.data, row.method) for row in rows):
        cells = [found.get((data, method, metric)) for metric in columns]
        first = cells[0]
        if first:
            words = [_in_words(cell) for cell in cells]
            table.add_row(data, method, *words, f"{first.n:,}", str(first.seeds))
    return table


def _is_about(row: Row, size: int) -> bool:
    return row.group == "all" and row.context_size == size


def _in_words(row: Row | None) -> str:
    if row is None or row.value is None:
        return ""
    if row.metric == ACTIVE:
        return f"{row.value:.0f}"
    interval = ""
    if row.metric == SHORT and row.low is not None and row.high is not None:
        interval = f" [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    return f"{100 * row.value:.1f}{interval}"


if __name__ == "__main__":
    run_recipe(outcomes)
