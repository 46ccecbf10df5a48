"""`plot`: a metric by choices seen, one line a method and one panel a data set or slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from fsa.reports.row import Row, is_fraction
from fsa.reports.tables import Table, title, unit

# Colours that the colour-blind tell apart [Okabe2008]; methods beyond eight start again.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#B8A500")
_BLACK = "#111111"


def plot(tables: Sequence[Table], path: Path) -> None:
    """Write one PNG of tables of one metric.

    Mean over users as a solid line in its 95 % interval, worst group dashed, Bayes limit dotted. Context
    sizes stand by their square root: the first few choices matter most.
    """
    columns = min(len(tables), 3)
    rows = math.ceil(len(tables) / columns)
    figure = Figure(figsize=(1.2 + 4.6 * columns, 0.9 + 3.5 * rows), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    methods = list(dict.fromkeys(method for table in tables for method in table.methods))
    colours = {method: _COLOURS[i % len(_COLOURS)] for i, method in enumerate(methods)}
    for panel, table in zip(panels, tables, strict=False):
        _draw(panel, table, colours)
    for panel in panels[len(tables) :]:
        panel.set_visible(False)
    for panel in panels[::columns]:
        panel.set_ylabel(_axis_label(tables[0].metric))
    found: dict[str, Any] = {}
    for panel in panels:
        found |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.legend(
        found.values(),
        found.keys(),
        loc="outside lower center",
        ncols=min(len(found), 2 * columns + 1),
        frameon=False,
    )
    figure.savefig(path, metadata={"Software": None}, bbox_inches="tight")  # a long legend widens the picture


def _draw(panel: Any, table: Table, colours: dict[str, str]) -> None:
    scale = 100 if is_fraction(table.metric) else 1
    for (method, group), by_size in table.lines.items():
        rows = [row for _, row in sorted(by_size.items()) if row.value is not None]
        if group == "all":
            _line(
                panel, rows, scale, color=colours[method], label=method, marker="o", markersize=4, linewidth=2
            )
            _band(panel, rows, scale, colours[method])
        elif group == "worst":
            label = f"{method}, worst group"
            _line(panel, rows, scale, color=colours[method], label=label, linestyle="--", linewidth=1.3)
    if table.limit:
        sizes, values = [math.sqrt(size) for size in table.limit], [scale * x for x in table.limit.values()]
        panel.plot(sizes, values, color=_BLACK, linestyle=":", linewidth=1.6, label="Bayes limit", zorder=5)
    dress(panel, table.place, table.sizes)


def _line(panel: Any, rows: Sequence[Row], scale: float, **style: Any) -> None:
    values = [scale * (row.value or 0.0) for row in rows]
    panel.plot([math.sqrt(row.context_size) for row in rows], values, **style)


def _band(panel: Any, rows: Sequence[Row], scale: float, colour: str) -> None:
    known = [
        (row.context_size, row.low, row.high) for row in rows if row.low is not None and row.high is not None
    ]
    if known:
        sizes, lows, highs = zip(*known, strict=True)
        bounds = [scale * low for low in lows], [scale * high for high in highs]
        panel.fill_between(
            [math.sqrt(size) for size in sizes], *bounds, color=colour, alpha=0.18, linewidth=0
        )


def dress(panel: Any, place: str, sizes: Sequence[int]) -> None:
    """Title and axes of a panel of numbers by choices seen, drawn at their square roots."""
    panel.set_title(place, fontsize=10, loc="left")
    panel.set_xlabel("choices seen (square-root scale)", fontsize=9)
    panel.xaxis.set_major_locator(FixedLocator([math.sqrt(size) for size in sizes]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticklabels([str(size) for size in sizes])
    panel.tick_params(labelleft=True)
    plain(panel)


def plain(panel: Any) -> None:
    """Horizontal lines behind the numbers, and no frame above and beside them."""
    panel.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _axis_label(metric: str) -> str:
    short = title(metric).split(" (")[0]
    return short if unit(metric) == "as is" else f"{short} ({unit(metric)})"
