"""`Table`: the numbers of one metric on one data set, as Markdown and on the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table as ConsoleTable
from rich.text import Text

from fsa.reports.frame import texts, wide
from fsa.reports.numbers import number, span
from fsa.reports.row import is_fraction

BAYES = "bayes_accuracy"
WIDTH = 120
"""Columns of a screen; a wider Markdown table is cut into several under the same first column."""
_TITLES = {
    "accuracy": "Accuracy",
    "nll": "Negative log-likelihood",
    "ece": "Expected calibration error",
    "flip_accuracy": "Flip accuracy (agreement with the original outcome after the context is reversed)",
}
_FIRST = {"all": 0, "worst": 1}


@dataclass(frozen=True)
class Table:
    """One metric on one slice of one data set: methods and groups by context sizes.

    Attributes:
        data, slice_name, metric: What the numbers are about.
        frame: Rows by method in the order in which they came, then "all", "worst" and every group; by size.
        limit: Bayes accuracy by context size; empty where it is not known, or the metric is no accuracy.
        counts: What stands behind the numbers, as far as it is known: `people`, `choices` (each once, however
            often it is predicted), and `seen`, mean choices seen by the context size asked for, as text.
    """

    data: str
    slice_name: str
    metric: str
    frame: pd.DataFrame
    limit: pd.Series
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Data set and slice in words."""
        return self.data + (f", {self.slice_name}" if self.slice_name else "")

    @property
    def sizes(self) -> list[int]:
        """Context sizes, ascending."""
        return sorted(self.frame.context_size.unique().tolist())

    @property
    def heads(self) -> list[str]:
        """Context sizes as columns are called, ascending: "10 (3.1)" where 10 are asked for and 3.1 seen."""
        seen = self.counts.get("seen", {})
        means = {size: seen.get(str(size), size) for size in self.sizes}
        return [str(size) if mean >= size else f"{size} ({mean:.3g})" for size, mean in means.items()]

    def markdown(self) -> str:
        """A Markdown table with intervals, n and seeds under it."""
        cells = wide(self.frame, ["method", "group"], "context_size", texts(self.frame, "interval"))
        cells = cells[self.sizes].set_axis(self.heads, axis=1)
        cells = cells.reset_index().replace({"group": {"": "(no name)"}})
        if len(self.limit):
            cells.loc[len(cells)] = ["*Bayes limit*", "all", *self._limits()]
        said = " [95 % interval]." if cells.iloc[:, 2:].map(lambda text: "[" in text).any(axis=None) else ""
        head = f"### {title(self.metric)}, {unit(self.metric)}"
        return f"{head}\n\n{markdown(cells)}\n\n{self.footnote()}{said}"

    def footnote(self) -> str:
        """How many predictions, choices, people and seeds stand behind the numbers."""
        frame = self.frame
        whole = frame[frame.group == "all"] if (frame.group == "all").any() else frame
        is_short = self.heads != [str(size) for size in self.sizes]
        said = "Columns: choices seen" + " (asked for, and seen in the mean: people have fewer)" * is_short
        said += f". n = {span(whole.n.tolist())} {self._judged()}, seeds = {span(whole.seeds.tolist())}"
        parts = frame[~frame.group.isin(list(_FIRST))]
        return f"{said}; n = {span(parts.n.tolist())} in a group." if len(parts) else f"{said}."

    def _judged(self) -> str:
        if not {"people", "choices"} <= self.counts.keys():
            return "choices a number"
        choices, people = self.counts["choices"], self.counts["people"]
        return f"predictions a number, of {choices:,} choices of {people:,} people"

    def console(self) -> Group:
        """Methods by context sizes, the worst group beside the mean."""
        cells, frame = self._beside(), self.frame
        shown = "mean / worst group" if (frame.group == "worst").any() else "mean"
        name = f"{self.place}: {title(self.metric)}, {unit(self.metric)}, {shown}"
        table = console(cells.set_axis(self.heads, axis=1).rename_axis("choices seen"))
        if len(self.limit):
            table.add_row("Bayes limit", *self._limits(), style="dim")
        # Not the table's own title and caption: those wrap at the width of a narrow table.
        return Group(Text(name, style="bold"), table, Text(self.footnote(), style="dim"), "")

    def _beside(self) -> pd.DataFrame:
        """By method and size: the mean in bold, and the worst group where there is one."""
        text = texts(self.frame)
        bold, worst = ("[bold]" + text + "[/]")[self.frame.group == "all"], self.frame.group == "worst"
        mean = wide(self.frame[self.frame.group == "all"], "method", "context_size", bold)
        mean = mean.reindex(index=self.frame.method.unique(), columns=self.sizes, fill_value="[bold]-[/]")
        least = wide(self.frame[worst], "method", "context_size", " / " + text[worst])
        return mean + least.reindex(index=mean.index, columns=mean.columns, fill_value="").replace("-", "")

    def _limits(self) -> list[str]:
        return [number(self.limit.get(size), BAYES) for size in self.sizes]


def tables(frame: pd.DataFrame, counts: Mapping[str, Any] | None = None) -> Iterator[Table]:
    """Tables of all rows: data sets, slices and metrics in the order in which they came.

    Bayes accuracy stands in the table of accuracy, and in one of its own only where there is no accuracy.

    Args:
        frame: Rows; see `frame_of`.
        counts: What stands behind the numbers of each data set, by its name; see `Table`.
    """
    for (data, part), here in frame.groupby(["data", "slice"], sort=False):
        metrics = here.metric.unique()
        of_all = here[(here.metric == BAYES) & (here.group == "all")].dropna(subset="value")
        limit = of_all.groupby("context_size").value.mean()  # methods judged on the same episodes share it
        for metric in metrics:
            if metric != BAYES or "accuracy" not in metrics:
                known = limit if metric == "accuracy" else limit[:0]
                # A slice is some of the choices, which are not counted apart.
                of_data = (counts or {}).get(data, {}) if not part else {}
                yield Table(data, part, metric, _in_order(here[here.metric == metric]), known, of_data)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    methods = {method: place for place, method in enumerate(frame.method.unique())}
    place = frame.group.map(lambda group: _FIRST.get(group, len(_FIRST)))
    return frame.assign(_method=frame.method.map(methods), _place=place).sort_values(
        ["_method", "_place", "group", "context_size"], kind="stable"
    )


def title(metric: str) -> str:
    """A metric's name in words."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())


def unit(metric: str) -> str:
    """A metric's unit in words."""
    return "%" if is_fraction(metric) else {"nll": "nats a choice"}.get(metric, "as is")


def console(cells: pd.DataFrame) -> ConsoleTable:
    """A table for the console: the index, then every column."""
    table = ConsoleTable(box=box.SIMPLE_HEAD)
    table.add_column(str(cells.index.name or ""), no_wrap=True)
    for name in cells.columns:
        table.add_column(str(name), justify="right", no_wrap=True)
    for line in cells.itertuples():
        table.add_row(escape(str(line[0])), *line[1:])
    return table


def markdown(cells: pd.DataFrame, width: int = 0) -> str:
    """A Markdown table, columns lined up.

    Args:
        cells: Texts; the first column says what a line is about.
        width: Characters in a line at most, where a single column allows it: columns that do not fit follow
            in further tables under the same first one. Any width where 0.
    """
    texts_of = [[str(cell) for cell in row] for row in [cells.columns, *cells.itertuples(index=False)]]
    rows = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in texts_of]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    blocks: list[list[int]] = [[]]
    for i in range(1, len(widths)):
        used = widths[0] + 4 + sum(widths[j] + 3 for j in blocks[-1])
        if width and blocks[-1] and used + widths[i] + 3 > width:
            blocks.append([])
        blocks[-1].append(i)
    return "\n\n".join(_block(rows, widths, [0, *block]) for block in blocks)


def _block(rows: Sequence[Sequence[str]], widths: Sequence[int], columns: Sequence[int]) -> str:
    rule = ["-" * widths[i] if i == 0 else "-" * (widths[i] - 1) + ":" for i in range(len(widths))]
    lines = []
    for row in [rows[0], rule, *rows[1:]]:
        cells = [row[i].ljust(widths[i]) if i == 0 else row[i].rjust(widths[i]) for i in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
