"""`Figure`: one measured number, and the limit it should keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run


@dataclass(frozen=True)
class Figure:
    """One number of the bench.

    Attributes:
        metric: Its name in the report.
        words: What it is, with its unit.
        values: One value a repetition; the figure is their median.
        at_least, at_most: The limit; neither for a number that is told, not judged.
    """

    metric: str
    words: str
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        """Median over the repetitions."""
        return float(np.median(self.values))

    @property
    def limit(self) -> str:
        """The limit in words; "" where there is none."""
        if self.at_least is not None:
            return f"at least {self.at_least:,g}"
        return "" if self.at_most is None else f"at most {self.at_most:,g}"

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept; where there is none, it is."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def row(self) -> Row:
        """As a row of a report; n is the number of repetitions."""
        return Row("bench", "fsa", "all", {}, 0, self.metric, self.value, None, None, len(self.values), 1)


def as_table(figures: Sequence[Figure]) -> Table:
    """What the console shows: value, range over the repetitions, limit, and whether it is kept."""
    table = Table("figure", "value", "range", "limit", "ok")
    for figure in figures:
        low, high = (f"{number:,.4g}" for number in (min(figure.values), max(figure.values)))
        verdict = ("[green]yes[/]" if figure.is_kept else "[red]NO[/]") if figure.limit else ""
        spread = f"{low} to {high}" if len(figure.values) > 1 else ""
        table.add_row(figure.words, f"{figure.value:,.4g}", spread, figure.limit, verdict)
    return table


def reported(figures: Sequence[Figure], out: str | Path, module: str, **about: Any) -> Report:
    """Show figures beside their limits, and write them as a report; see `about_this_run`."""
    Console().print(as_table(figures))
    report = Report([figure.row() for figure in figures], about_this_run(module, **about))
    report.save(out)
    return report


def seconds(do: Callable[[], object]) -> float:
    """How long something takes, by the clock on the wall."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
