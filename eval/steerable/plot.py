"""The picture of `eval.steerable`: accuracy by set of targets, one bar a method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fsa.reports.plots import BLACK, COLOURS, frameless, legend, panels_of, save


def bars(frame: pd.DataFrame, path: Path) -> None:
    """Write a PNG of every method's accuracy on every set of targets, with intervals; 50 % is a guess."""
    here = frame[(frame.metric == "accuracy") & (frame.slice == "")]
    groups, methods = list(here.group.unique()), list(here.method.unique())
    figure, (panel,) = panels_of(1, "accuracy (%)")
    figure.set_size_inches(2 + 1.1 * len(groups), 4.2)
    width = 0.8 / max(len(methods), 1)
    for place, method in enumerate(methods):
        found = here[here.method == method]
        x = found.group.map(groups.index) - 0.4 + width * (place + 0.5)
        errors = 100 * np.maximum([found.value - found.low, found.high - found.value], 0)
        style = {"color": COLOURS[place % len(COLOURS)], "label": method, "error_kw": {"linewidth": 0.8}}
        panel.bar(x, 100 * found.value, width, yerr=errors, **style)
    panel.axhline(50, color=BLACK, linestyle=":", linewidth=1)
    panel.set_ylim(0, 100)
    panel.set_xticks(range(len(groups)), groups, rotation=30, ha="right")
    frameless(panel)
    legend(figure, [panel])
    save(figure, path)
