"""How every picture looks: colours, panels and axes; and `plot`, a metric by choices seen."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image

from fsa.files import whole_file
from fsa.reports.row import is_fraction
from fsa.reports.tables import Table, title, unit

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#B8A500", "#7A3E9D")
"""Colours that the colour-blind tell apart [Okabe2008]; whatever has more starts again."""
BLACK, GREY, LIGHT = "#111111", "#999999", "#e6e6e6"
"""Of limits, of what stands in the background, and of lines behind numbers."""
_NUM_COLOURS = 64  # a third of the size of a full PNG, and no eye tells


def plot(tables: Sequence[Table], path: Path) -> None:
    """Write one PNG of tables of one metric: one panel a table, one line a method.

    Mean over users as a solid line in its 95 % interval, worst group dashed, Bayes limit dotted. Context
    sizes stand by their square root: the first few choices matter most.
    """
    metric = tables[0].metric
    short = title(metric).split(" (")[0]
    label = short if unit(metric) == "as is" else f"{short} ({unit(metric)})"
    figure, panels = panels_of(len(tables), label, share_y=True)
    methods = list(dict.fromkeys(method for table in tables for method in table.frame.method))
    colours = {method: COLOURS[i % len(COLOURS)] for i, method in enumerate(methods)}
    for panel, table in zip(panels, tables, strict=True):
        _draw(panel, table, colours)
    legend(figure, panels)
    save(figure, path)


def _draw(panel: Any, table: Table, colours: dict[str, str]) -> None:
    scale = 100 if is_fraction(table.metric) else 1
    known = table.frame.dropna(subset="value")
    for (method, group), line in known.groupby(["method", "group"], sort=False):
        x = line.context_size**0.5
        if group == "all":
            style = {"color": colours[method], "marker": "o", "markersize": 4, "linewidth": 2}
            panel.plot(x, scale * line.value, label=method, **style)
            panel.fill_between(
                x, scale * line.low, scale * line.high, color=colours[method], alpha=0.18, linewidth=0
            )
        elif group == "worst":
            style = {"color": colours[method], "linestyle": "--", "linewidth": 1.3}
            panel.plot(x, scale * line.value, label=f"{method}, worst group", **style)
    if len(table.limit):
        limit_line(panel, table.limit, scale)
    by_choices(panel, table.place, table.sizes, table.heads)


def panels_of(
    count: int, ylabel: str, *, share_y: bool = False, columns: int | None = None
) -> tuple[Figure, list[Any]]:
    """A figure of several panels beside and below each other; the leftmost say what is upwards."""
    columns = columns or min(count, 4 if count in (4, 7, 8) else 3)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(0.8 + 3.6 * columns, 1.3 + 2.7 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=share_y).ravel().tolist()
    for panel in panels[count:]:
        panel.set_visible(False)
    for panel in panels[:count:columns]:
        panel.set_ylabel(ylabel)
    return figure, panels[:count]


def by_choices(panel: Any, name: str, sizes: Sequence[int], heads: Sequence[str] | None = None) -> None:
    """Title and axes of a panel of numbers by choices seen, drawn at their square roots.

    Args:
        panel: Where to draw.
        name: Title.
        sizes: Choices seen.
        heads: What to call the sizes; their numbers if not given.
    """
    frameless(panel, name)
    panel.set_xlabel("choices seen (square-root scale)", fontsize=9)
    panel.xaxis.set_major_locator(FixedLocator([math.sqrt(size) for size in sizes]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticklabels(heads or [str(size) for size in sizes])
    panel.tick_params(labelleft=True)


def limit_line(panel: Any, limit: pd.Series, scale: float = 100) -> None:
    """A dotted line of the Bayes limit by choices seen."""
    style = {"color": BLACK, "linestyle": ":", "linewidth": 1.6, "label": "Bayes limit", "zorder": 5}
    panel.plot([math.sqrt(size) for size in limit.index], scale * limit.to_numpy(), **style)


def frameless(panel: Any, name: str = "") -> None:
    """A title, horizontal lines behind the numbers, and no frame above and beside them."""
    panel.set_title(name, fontsize=10, loc="left")
    panel.grid(axis="y", color=LIGHT, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, panels: Sequence[Any], columns: int = 6) -> None:
    """One legend of all panels, under them."""
    found: dict[str, Any] = {}
    for panel in panels:
        found |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    place: dict[str, Any] = {"loc": "outside lower center", "frameon": False, "fontsize": 9}
    figure.legend(list(found.values()), list(found), ncols=min(max(len(found), 1), columns), **place)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, bbox_inches="tight")
    with whole_file(path) as unfinished:
        Image.open(stream).convert("RGB").quantize(_NUM_COLOURS).save(unfinished, "PNG", optimize=True)
