"""`table`: Markdown tables that are as readable unrendered, and no wider than a screen."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from fsa.reports.row import Row, is_fraction

WIDTH = 120
"""Columns of a screen; a wider table is cut into several under the same first column."""
MISSING = "-"
_Key = tuple[str, str, str, int, str, str]


class Numbers:
    """Rows of a report, found by what they are about."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._found: dict[_Key, Row] = {self._key(row): row for row in rows}

    @staticmethod
    def _key(row: Row) -> _Key:
        return row.data, row.method, row.group, row.context_size, row.metric, row.slice_name

    def get(
        self,
        data: str,
        method: str,
        metric: str,
        size: int = 0,
        group: str = "all",
        part: Mapping[str, Any] | None = None,
    ) -> Row | None:
        """The row about this, or None where it was not measured."""
        slice_name = ", ".join(f"{name} = {value}" for name, value in sorted((part or {}).items()))
        return self._found.get((data, method, group, size, metric, slice_name))

    def sizes(self, data: str) -> list[int]:
        """Choices seen on a data set, ascending; a slice of it may have others."""
        here = [row for row in self.rows if (row.data, row.metric) == (data, "accuracy") and not row.slice]
        return sorted({row.context_size for row in here})

    def most(self, data: str) -> int:
        """The most choices seen on a data set; 0 if nothing was measured."""
        return max(self.sizes(data), default=0)

    def methods(self, data: str, metric: str = "accuracy") -> list[str]:
        """Methods that a number of is known, in order."""
        return list(
            dict.fromkeys(row.method for row in self.rows if (row.data, row.metric) == (data, metric))
        )

    def groups(self, data: str) -> list[str]:
        """Groups that numbers are known of, without all and worst."""
        here = (row.group for row in self.rows if (row.data, row.metric) == (data, "accuracy"))
        return [group for group in dict.fromkeys(here) if group not in ("all", "worst")]


def prose(text: str) -> str:
    """A paragraph, its lines no wider than a screen."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], body: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """A Markdown table, columns lined up; those that do not fit follow in further tables.

    Args:
        head: Column names.
        body: Cells of each row; the first says what the row is about and is repeated in every table.
        width: Characters in a line at most, where a single column allows it.
    """
    rows = [[_escape(cell) for cell in row] for row in [head, *body]]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(head))]
    blocks: list[list[int]] = [[]]
    used = widths[0] + 4
    for i in range(1, len(head)):
        if blocks[-1] and used + widths[i] + 3 > width:
            blocks.append([])
            used = widths[0] + 4
        blocks[-1].append(i)
        used += widths[i] + 3
    return "\n\n".join(_block(rows, widths, [0, *block]) for block in blocks)


def _block(rows: Sequence[Sequence[str]], widths: Sequence[int], columns: Sequence[int]) -> str:
    lines = []
    for number, row in enumerate(rows):
        cells = [row[i].ljust(widths[i]) if i == 0 else row[i].rjust(widths[i]) for i in columns]
        lines.append("| " + " | ".join(cells) + " |")
        if number == 0:
            rules = ["-" * widths[i] if i == 0 else "-" * (widths[i] - 1) + ":" for i in columns]
            lines.append("| " + " | ".join(rules) + " |")
    return "\n".join(lines)


def number(row: Row | None, *, interval: bool = False, sign: bool = False) -> str:
    """A number in its unit: percent with one decimal, else three decimals; "-" where there is none.

    Args:
        row: What to show.
        interval: Whether its 95 % interval follows.
        sign: Whether a plus stands before what is more than nothing.
    """
    if row is None or row.value is None or math.isnan(row.value):
        return MISSING
    shown = _one(row.value, row.metric, sign)
    if not interval or row.low is None or row.high is None:
        return shown
    return f"{shown} [{_one(row.low, row.metric, sign)}, {_one(row.high, row.metric, sign)}]"


def _one(value: float, metric: str, sign: bool) -> str:
    scaled, decimals = (100 * value, 1) if is_fraction(metric) else (value, 3)
    rounded = round(scaled, decimals) + 0.0  # no minus before a zero
    return f"{rounded:+.{decimals}f}" if sign else f"{rounded:.{decimals}f}"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
