"""`context_curve`: accuracy by choices seen of trained runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from fsa.errors import ConfigError
from fsa.recipes.measuring.rows import GAIN, Seen, gains, measured, rows_of
from fsa.recipes.measuring.runs import Data, Settings, named
from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run


def context_curve(
    run: list[str],
    context_sizes: list[int] = [0, 1, 3, 5, 10],  # noqa: B006 (never changed; jsonargparse shows it)
    out: str | None = None,
    against: str | None = None,
    **measuring: Any,
) -> Report:
    """Measure how predictions improve with choices seen: per group, all, and the worst group.

    Every context size is measured on the same episodes and targets: the first choices of one context. Writes
    report.json, report.md and a plot.

    Args:
        run: Run folder; a quoted glob is one method whose folders are its seeds; `NAME=FOLDER` names the
            method. May be given several times.
        context_sizes: Choices seen, for example 0,1,3,5,10.
        out: Folder of the report; `RUN/eval` of the first run if not given.
        against: Name of a method that each other one is compared with, choice by choice.
        measuring: See `Settings`.

    Raises:
        ConfigError: There is no such run or split, two methods have one name, or a method's seeds are about
            different choices.
        CheckpointError: A run cannot be read, or holds parts that are foreign.
    """
    settings = Settings(context_sizes, **measuring)
    methods = named(run)
    if against is not None and against not in (method.name for method in methods):
        raise ConfigError(f"against is {against!r}; methods are {', '.join(m.name for m in methods)}")
    # That method first: the others are compared with it as they come.
    methods = sorted(methods, key=lambda method: method.name != against)
    rows: list[Row] = []
    counts: dict[str, Any] = {}
    rival: dict[int, Seen] = {}
    known: dict[str, Data] = {}
    steps = ((method.name, *part) for method in methods for part in measured(method, settings, known))
    total = len(methods) * len(settings.context_sizes)
    for name, size, predictions, seeds, at in track(
        steps, "measuring", total, console=Console(stderr=True), transient=True
    ):
        counts[at.name] = at.counts(settings.context_sizes)
        rows += rows_of(predictions, seeds, at, name, size)
        found = Seen(predictions, seeds)
        if name == against:
            rival[size] = found
        elif against is not None:
            rows += gains(found, rival[size], at, f"{name} less {against}", size)
    about = about_this_run("eval.context_curve", split=settings.split, seed=settings.seed, counts=counts)
    report = Report(rows, about)
    folder = Path(out) if out else methods[0].runs[0] / "eval"
    report.save(folder)
    report.print_tables(Console())
    for row in report.rows:
        if row.metric == GAIN and row.group == "all":
            Console().print(
                f"{row.method}, {row.context_size} choices: {100 * (row.value or 0):+.1f} "
                f"[{100 * (row.low or 0):+.1f}, {100 * (row.high or 0):+.1f}] points of accuracy, paired"
            )
    return report
