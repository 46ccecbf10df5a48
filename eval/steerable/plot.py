"""The picture of `eval.steerable`: accuracy by set of targets, one bar a method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fsa.reports.report import Row

# Colours that the colour-blind tell apart [Okabe2008].
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#B8A500")


def bars(rows: Sequence[Row], path: Path) -> None:
    """Write a PNG of every method's accuracy on every set of targets, with intervals; 50 % is a guess."""
    here = {(row.group, row.method): row for row in rows if row.metric == "accuracy" and not row.slice}
    groups = list(dict.fromkeys(group for group, _ in here))
    methods = list(dict.fromkeys(method for _, method in here))
    figure = Figure(figsize=(2 + 1.1 * len(groups), 4.2), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    width = 0.8 / max(len(methods), 1)
    for place, method in enumerate(methods):
        found = [(i, here[group, method]) for i, group in enumerate(groups) if (group, method) in here]
        x = [i - 0.4 + width * (place + 0.5) for i, _ in found]
        values = np.array([[100 * (v or 0.0) for v in (row.value, row.low, row.high)] for _, row in found])
        value, low, high = values.T
        colour = _COLOURS[place % len(_COLOURS)]
        errors = np.maximum([value - low, high - value], 0)
        panel.bar(x, value, width, color=colour, label=method, yerr=errors, error_kw={"linewidth": 0.8})
    panel.axhline(50, color="#111111", linestyle=":", linewidth=1)
    panel.set_ylabel("accuracy (%)")
    panel.set_ylim(0, 100)
    panel.set_xticks(range(len(groups)), groups, rotation=30, ha="right")
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=min(len(methods), 6), frameon=False)
    figure.savefig(path, metadata={"Software": None})
