"""Pictures of the results page: curves by data set, cost against accuracy, beliefs, and synthetic rewards."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from PIL import Image

from eval.suite.measures import BAYES
from eval.suite.page_tables import Numbers
from eval.suite.results import POOLED, Suite
from eval.suite.rows import COSTS
from fsa.reports.plots import dress, plain

# Colours that the colour-blind tell apart [Okabe2008]; ours alone has the first.
_OURS = "#D55E00"
_COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#B8A500", "#7A3E9D")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_GREY = "#999999"


def curves(suite: Suite, numbers: Numbers, group: str, path: Path) -> bool:
    """Accuracy by choices seen, one panel a data set; whether there was anything to draw.

    Args:
        suite: Who is ours and who is told the groups.
        numbers: All of them.
        group: "all" or "worst".
        path: PNG to write.
    """
    names = [n for n in suite.datasets if any(_line(numbers, n, m, group) for m in suite.methods)]
    if not names:
        return False
    figure, panels = _panels(
        len(names), "accuracy, %" if group == "all" else "accuracy in the worst group, %"
    )
    styles = styles_of(suite)
    for panel, name in zip(panels, names, strict=True):
        for method in suite.methods:
            line = _line(numbers, name, method, group)
            if line:
                panel.plot(
                    [math.sqrt(size) for size in line], [100 * v for v in line.values()], **styles[method]
                )
        limit = {
            s: r.value for s in numbers.sizes(name) if (r := _bayes(numbers, name, s, group)) and r.value
        }
        if limit:
            values = [100 * value for value in limit.values()]
            panel.plot([math.sqrt(size) for size in limit], values, **_limit_style())
        dress(panel, name, numbers.sizes(name))
    _legend(figure, panels)
    _save(figure, path)
    return True


def cost(suite: Suite, numbers: Numbers, path: Path) -> bool:
    """Accuracy after the most choices by what a method costs, means over the data sets that all have."""
    shared = [n for n in suite.datasets if all(numbers.get(n, m, "parameters") for m in suite.methods)]
    names = shared or suite.datasets[:1]
    known = [metric for metric in COSTS if any(row.metric == metric for row in numbers.rows)]
    if not known:
        return False
    figure, panels = _panels(len(known), f"accuracy, %, mean of {len(names)} data set(s)")
    styles = styles_of(suite)
    for panel, metric in zip(panels, known, strict=True):
        for method in suite.methods:
            timed = [n for n in names if numbers.get(n, method, metric)]  # alone on one data set only
            x = _mean(numbers, timed, method, metric)
            y = _mean(numbers, names, method, "accuracy")
            if x is not None and y is not None:
                panel.plot(
                    [max(x, 1e-3)], [100 * y], **(styles[method] | {"markersize": 9, "linestyle": "none"})
                )
        panel.set_xscale("log")
        low, high = panel.get_xlim()
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 100 * low else (1,), numticks=8))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_title(COSTS[metric], fontsize=10, loc="left")
        plain(panel)
    _legend(figure, panels)
    _save(figure, path)
    return True


def beliefs(maps: Mapping[str, tuple[Float[np.ndarray, "m 2"], Sequence[str]]], path: Path) -> None:
    """Two principal axes of the beliefs about test people, one panel a data set, a colour a group."""
    figure, panels = _panels(len(maps), "second axis")
    for panel, (name, (points, groups)) in zip(panels, maps.items(), strict=True):
        for number, group in enumerate(dict.fromkeys(sorted(groups))):
            here = np.array([one == group for one in groups])
            style = {"color": (_OURS, *_COLOURS)[number % 9], "marker": _MARKERS[number // 9 % 8]}
            panel.scatter(*points[here].T, s=7, alpha=0.7, linewidths=0, label=group or "everybody", **style)
        panel.set_title(name, fontsize=10, loc="left")
        panel.set_xlabel("first axis")
        if len(set(groups)) <= 14:
            panel.legend(fontsize=6, markerscale=1.6, frameon=False, ncols=2)
        plain(panel)
    _save(figure, path)


def rewards(
    grid: Float[np.ndarray, " g"],
    curves_of: Mapping[int, Sequence[tuple[str, Float[np.ndarray, " g"]]]],
    path: Path,
) -> None:
    """Rewards of a numeric option for several people, one panel a number of choices seen.

    Args:
        grid: Options.
        curves_of: By choices seen, each person's type and rewards.
        path: PNG to write.
    """
    figure, panels = _panels(len(curves_of), "reward, nats, less its mean")
    types = list(dict.fromkeys(kind for curve in curves_of.values() for kind, _ in curve))
    for panel, (size, found) in zip(panels, curves_of.items(), strict=True):
        for kind, reward in found:
            colour = (_OURS, *_COLOURS)[types.index(kind) % 9]
            panel.plot(grid, reward - reward.mean(), color=colour, linewidth=1.2, alpha=0.8, label=kind)
        panel.set_title(f"choices seen: {size}", fontsize=10, loc="left")
        panel.set_xlabel("option")
        plain(panel)
    _legend(figure, panels)
    _save(figure, path)


def styles_of(suite: Suite) -> dict[str, dict[str, Any]]:
    """How each method is drawn: ours thick, variants of ours thin, those told the groups and pooled grey."""
    roles, styles = suite.roles, {}
    ours = {"color": _OURS, "linewidth": 2.8, "marker": "o", "markersize": 5, "zorder": 6}
    coloured = [method for method in roles.rivals if method != POOLED]
    for method in suite.methods:
        if method == roles.reference:
            style = ours
        elif method in roles.variants:
            place = roles.variants.index(method)
            style = ours | {
                "linewidth": 1.0,
                "linestyle": "--",
                "marker": _MARKERS[1 + place % 7],
                "zorder": 4,
            }
        elif method in coloured:
            place = coloured.index(method)
            style = {"color": _COLOURS[place % 8], "linewidth": 1.4, "marker": _MARKERS[place % 8]}
            style |= {"linestyle": "-" if place < 8 else "-."}
        else:
            style = {"color": _GREY, "linewidth": 1.4, "linestyle": ":" if method == POOLED else "--"}
            style |= {"marker": "." if method == POOLED else "d"}
        styles[method] = {"markersize": 4, **style, "label": method}
    return styles


def _line(numbers: Numbers, name: str, method: str, group: str) -> dict[int, float]:
    """Accuracy by choices seen; the mean stands for the worst group where there is one group only."""
    group = group if numbers.groups(name) else "all"
    rows = {size: numbers.get(name, method, "accuracy", size, group) for size in numbers.sizes(name)}
    return {size: row.value for size, row in rows.items() if row is not None and row.value is not None}


def _bayes(numbers: Numbers, name: str, size: int, group: str) -> Any:
    group = group if numbers.groups(name) else "all"
    return numbers.get(name, BAYES, "bayes_accuracy", size, group)


def _mean(numbers: Numbers, names: Sequence[str], method: str, metric: str) -> float | None:
    sizes = [numbers.most(n) if metric == "accuracy" else 0 for n in names]
    rows = [numbers.get(n, method, metric, size) for n, size in zip(names, sizes, strict=True)]
    values = [row.value for row in rows if row is not None and row.value is not None]
    return sum(values) / len(values) if values and len(values) == len(names) else None


def _panels(count: int, ylabel: str) -> tuple[Figure, list[Any]]:
    columns = min(count, 4 if count in (4, 7, 8) else 3)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(0.8 + 3.6 * columns, 1.3 + 2.7 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for panel in panels[count:]:
        panel.set_visible(False)
    for panel in panels[:count:columns]:
        panel.set_ylabel(ylabel)
    return figure, panels[:count]


def _limit_style() -> dict[str, Any]:
    return {"color": "#111111", "linestyle": ":", "linewidth": 1.6, "label": BAYES, "zorder": 5}


def _legend(figure: Figure, panels: Sequence[Any]) -> None:
    found: dict[str, Any] = {}
    for panel in panels:
        found |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": 6, "frameon": False, "fontsize": 9}
    figure.legend(list(found.values()), list(found), **place)


def _save(figure: Figure, path: Path) -> None:
    """A PNG of 64 colours: a third of the size, and no eye tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, bbox_inches="tight")
    Image.open(stream).convert("RGB").quantize(64).save(path, optimize=True)
