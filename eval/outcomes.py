"""Everything that people can say of options, beside its Bayes limit: `python -m eval.outcomes`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fsa.cli.recipes import run_recipe
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.rows import measured, rows_of
from fsa.recipes.measuring.runs import Data, Method, Settings
from fsa.reports.bootstrap import Interval
from fsa.reports.frame import texts, wide
from fsa.reports.intervals import paired_interval
from fsa.reports.report import Report, Row
from fsa.reports.tables import console
from fsa.runs.folder import about_this_run
from train.reward import train_run

SHORT = "short_of_bayes_accuracy"
"""Metric: Bayes accuracy less accuracy on the same choices, a fraction."""
ACTIVE = "active_dims"
"""Metric: dimensions of a belief whose mean KL was above 0.01 nats at the last logged step of training."""

_BASE = ("configs/reward/outcomes/sandbox.yaml", "configs/reward/outcomes/pairs.yaml")
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
            configs = [f"--config={path}" for path in (*_BASE, *trial.overlays)]
            for seed, run in enumerate(runs):
                train_run(run, *configs, seed=seed, reuse=reuse)
            rows += _rows(trial, runs, settings, data)
    report = Report(rows, about_this_run("eval.outcomes", split=split, episodes=episodes))
    report.save(folder)
    screen = Console()
    screen.width = max(screen.width, 130)  # without a terminal it is 80, too few for the words
    screen.print(_summary(report.frame, max(context_sizes)))
    return report


def _rows(trial: Trial, runs: tuple[Path, ...], settings: Settings, data: dict[str, Data]) -> Iterator[Row]:
    for size, predictions, seeds, at in measured(Method(trial.method, runs), settings, data):
        found = [*rows_of(predictions, seeds, at, trial.method, size)]
        short = short_of_bayes(predictions, seeds)
        found.append(Row.of(short, trial.data, trial.method, "all", size, SHORT))
        yield from (replace(row, data=trial.data) for row in found)
    active = [dims for run in runs if (dims := last_logged(run / "metrics.csv", "train/active_dims"))]
    if active:
        most = max(settings.context_sizes)
        n = len(active)
        active_dims = Interval(float(np.mean(active)), min(active), max(active), n, n)
        yield Row.of(active_dims, trial.data, trial.method, "all", most, ACTIVE)


def short_of_bayes(predictions: Predictions, seeds: np.ndarray) -> Interval:
    """Bayes accuracy less accuracy, paired by choice, over people and prompts."""
    by = [predictions.user, predictions.prompt]
    return paired_interval(predictions.bayes_correct, predictions.correct, by, seeds=seeds)


def last_logged(metrics: Path, name: str) -> float | None:
    """The last value of a metric in a run's `metrics.csv`, or None where it was never logged."""
    with metrics.open(newline="", encoding="utf-8") as stream:
        values = [value for row in csv.DictReader(stream) if (value := row.get(name))]
    return float(values[-1]) if values else None


def _summary(frame: pd.DataFrame, size: int) -> Table:
    """One line a trial at the largest context: accuracy, its limit, and what is missing."""
    titles = {
        "accuracy": "accuracy",
        "bayes_accuracy": "Bayes limit",
        SHORT: "short of it",
        ACTIVE: "active dims",
    }
    here = frame[(frame.group == "all") & (frame.context_size == size) & frame.metric.isin(list(titles))]
    here = here.assign(title=here.metric.map(titles), trial=here.data + ", " + here.method)
    cells = wide(here, "trial", "title", texts(here, "interval")).reindex(columns=list(titles.values()))
    accuracy = here[here.metric == "accuracy"].set_index("trial")
    cells["n"], cells["seeds"] = accuracy.n.map("{:,}".format), accuracy.seeds.astype(str)
    return console(cells.rename_axis(f"people say, method (after {size} choices)").fillna("-"))


if __name__ == "__main__":
    run_recipe(outcomes)
