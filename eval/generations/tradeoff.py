"""The picture of what steering gives and costs: movement against distance from the reference."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from eval.generations.dedicated import NAME
from eval.generations.distance import PER_ANSWER
from eval.generations.steering import MOVEMENT
from fsa.reports.plots import BLACK, COLOURS, GREY, frameless, legend, panels_of, save

PICTURE = "movement_by_kl.png"


def plot(frame: pd.DataFrame, path: Path) -> bool:
    """Write a PNG: movement at the largest context by KL to the reference, a point with intervals a method.

    One panel for all people, and one for each group that has a dedicated policy. The reference itself is at 0
    and 0.

    Returns:
        Whether there was a method of which both are known; else nothing is written.
    """
    here = frame[(frame.context_size == frame.context_size.max()) & (frame.slice == "")]
    wanted = here[here.metric.isin([MOVEMENT, PER_ANSWER])]
    points = wanted.pivot_table(
        index=["group", "method"], columns="metric", values=["value", "low", "high"], sort=False, dropna=False
    )
    if not {("value", MOVEMENT), ("value", PER_ANSWER)} <= set(points.columns):
        return False
    points = points[points["value"].notna().all(axis=1)]
    if points.empty:
        return False
    dedicated = [group for group, method in points.index if method == NAME]
    shown = [group for group in ["all", *dedicated] if group in points.index.get_level_values(0)]
    methods = list(dict.fromkeys(points.index.get_level_values(1)))
    figure, panels = panels_of(len(shown), "movement, standard deviations", share_y=True)
    for panel, group in zip(panels, shown, strict=True):
        panel.plot(0, 0, "+", color=BLACK, markersize=9, label="reference")
        for method, point in points.loc[group].iterrows():
            x, y = (
                [point[part, metric] for part in ("value", "low", "high")]
                for metric in (PER_ANSWER, MOVEMENT)
            )
            panel.errorbar(
                x[0], y[0], xerr=_arms(x), yerr=_arms(y), fmt="o", markersize=5, linewidth=1,
                color=COLOURS[methods.index(method) % len(COLOURS)], label=method,
            )  # fmt: skip
        panel.axhline(0, color=GREY, linewidth=0.8)
        panel.set_xlabel("KL to the reference, nats an answer")
        frameless(panel, "all people" if group == "all" else group)
    legend(figure, panels)
    save(figure, path)
    return True


def _arms(three: list[float]) -> list[list[float]]:
    """How far an interval reaches to either side of its value; 0 where there is none."""
    value, low, high = three
    return [[max(value - low, 0) if pd.notna(low) else 0], [max(high - value, 0) if pd.notna(high) else 0]]
