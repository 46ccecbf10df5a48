"""`Table`: the numbers of one metric on one data set, as Markdown and on the console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table as ConsoleTable
from rich.text import Text

from fsa.reports.row import Row, is_fraction

BAYES = "bayes_accuracy"
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
        sizes: Context sizes, ascending.
        lines: Rows by (method, group), then by context size; "all" and "worst" come first of each method.
        limit: Bayes accuracy by context size; empty where it is not known, or the metric is no accuracy.
    """

    data: str
    slice_name: str
    metric: str
    sizes: tuple[int, ...]
    lines: dict[tuple[str, str], dict[int, Row]]
    limit: dict[int, float]

    @property
    def place(self) -> str:
        """Data set and slice in words."""
        return self.data + (f", {self.slice_name}" if self.slice_name else "")

    @property
    def methods(self) -> list[str]:
        """Methods in the order in which they came."""
        return list(dict.fromkeys(method for method, _ in self.lines))

    def markdown(self) -> str:
        """A Markdown table with intervals, n and seeds under it."""
        head = ["method", "group", *(str(size) for size in self.sizes)]
        lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---|" * len(self.sizes)]
        for (method, group), by_size in self.lines.items():
            cells = [self._cell(by_size.get(size)) for size in self.sizes]
            lines.append("| " + " | ".join([_escape(method), _escape(group), *cells]) + " |")
        if self.limit:
            cells = [_percent(self.limit[size]) if size in self.limit else "-" for size in self.sizes]
            lines.append("| " + " | ".join(["*Bayes limit*", "all", *cells]) + " |")
        intervals = " [95 % interval]." if "[" in "".join(lines) else ""
        head_line = f"### {title(self.metric)}, {unit(self.metric)}"
        return "\n".join([head_line, "", *lines, "", self.footnote() + intervals])

    def footnote(self) -> str:
        """How many choices and seeds stand behind the numbers, in one sentence."""
        rows = [row for by_size in self.lines.values() for row in by_size.values()]
        whole = [row for row in rows if row.group == "all"] or rows
        said = f"Columns: choices seen. n = {_range(row.n for row in whole)} choices a number"
        said += f", seeds = {_range(row.seeds for row in whole)}"
        parts = [row for row in rows if row.group not in _FIRST]
        if parts:
            said += f"; n = {_range(row.n for row in parts)} in a group"
        return said + "."

    def console(self) -> Group:
        """Methods by context sizes, the worst group beside the mean."""
        has_worst = any(group == "worst" for _, group in self.lines)
        shown = "mean / worst group" if has_worst else "mean"
        name = f"{self.place}: {title(self.metric)}, {unit(self.metric)}, {shown}"
        table = ConsoleTable(box=box.SIMPLE_HEAD)
        table.add_column("choices seen", no_wrap=True)
        for size in self.sizes:
            table.add_column(str(size), justify="right", no_wrap=True)
        for method in self.methods:
            table.add_row(escape(method), *(self._pair(method, size) for size in self.sizes))
        if self.limit:
            limits = (_percent(self.limit[size]) if size in self.limit else "-" for size in self.sizes)
            table.add_row("Bayes limit", *limits, style="dim")
        # Not the table's own title and caption: those wrap at the width of a narrow table.
        return Group(Text(name, style="bold"), table, Text(self.footnote(), style="dim"), "")

    def _pair(self, method: str, size: int) -> str:
        mean, worst = (self.lines.get((method, group), {}).get(size) for group in ("all", "worst"))
        said = f"[bold]{self._number(mean.value if mean else None)}[/]"
        return said + (f" / {self._number(worst.value)}" if worst else "")

    def _cell(self, row: Row | None) -> str:
        if row is None or row.value is None:
            return "-"
        if row.low is None or row.high is None:
            return self._number(row.value)
        return f"{self._number(row.value)} [{self._number(row.low)}, {self._number(row.high)}]"

    def _number(self, value: float | None) -> str:
        if value is None:
            return "-"
        return _percent(value) if is_fraction(self.metric) else f"{value:.3f}"


def tables(rows: Sequence[Row]) -> list[Table]:
    """Tables of all rows: data sets, slices and metrics in the order in which they came.

    Bayes accuracy stands in the table of accuracy, and in one of its own only where there is no accuracy.
    """
    metrics: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        metrics.setdefault((row.data, row.slice_name), {})[row.metric] = None
    return [
        _table(rows, data, slice_name, metric)
        for (data, slice_name), here in metrics.items()
        for metric in here
        if not (metric == BAYES and "accuracy" in here)
    ]


def title(metric: str) -> str:
    """A metric's name in words."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())


def unit(metric: str) -> str:
    """A metric's unit in words."""
    return "%" if is_fraction(metric) else {"nll": "nats a choice"}.get(metric, "as is")


def _table(rows: Sequence[Row], data: str, slice_name: str, metric: str) -> Table:
    here = [row for row in rows if (row.data, row.slice_name) == (data, slice_name)]
    chosen = [row for row in here if row.metric == metric]
    methods = {method: place for place, method in enumerate(dict.fromkeys(row.method for row in chosen))}
    keys = sorted(
        {(row.method, row.group) for row in chosen},
        key=lambda key: (methods[key[0]], _FIRST.get(key[1], len(_FIRST)), key[1]),
    )
    lines: dict[tuple[str, str], dict[int, Row]] = {key: {} for key in keys}
    for row in chosen:
        lines[row.method, row.group][row.context_size] = row
    sizes = tuple(sorted({row.context_size for row in chosen}))
    return Table(data, slice_name, metric, sizes, lines, _limit(here) if metric == "accuracy" else {})


def _limit(rows: Sequence[Row]) -> dict[int, float]:
    """Bayes accuracy of everybody by context size; methods judged on the same episodes share it."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if row.metric == BAYES and row.group == "all" and row.value is not None:
            found.setdefault(row.context_size, []).append(row.value)
    return {size: sum(values) / len(values) for size, values in sorted(found.items())}


def _percent(fraction: float) -> str:
    """One decimal, and two within half a point of 0 or 100, where one would round a difference away."""
    return f"{100 * fraction:.{2 if 0.995 <= fraction < 1 or 0 < fraction <= 0.005 else 1}f}"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _escape(text: str) -> str:
    return text.replace("|", "\\|") or "(no name)"
