"""Pictures of the results page: curves by data set, cost against accuracy, beliefs, and synthetic rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from eval.suite.cells import PEOPLE, open_arrays
from eval.suite.results import POOLED, Suite
from eval.suite.rows import COSTS
from eval.suite.sections import at_most
from fsa.reports.plots import COLOURS, GREY, by_choices, frameless, legend, limit_line, panels_of, save

_OURS = COLOURS[1]
_OTHERS = (COLOURS[0], *COLOURS[2:])
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_CAPTIONS = {
    "accuracy": "Accuracy by choices seen. Thick: ours; grey: pooled (dotted), given groups (dashed).",
    "worst_group": "The same in the worst group.",
    "cost": "Accuracy after the most choices by what a method costs.",
    "beliefs": "Beliefs about test people after the most choices, first seed of ours, two principal axes.",
    "rewards": "Rewards of the synthetic people's options after 0, 1, 3 and 10 choices, first seed of ours.",
}


def draw(suite: Suite, frame: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Draw what can be drawn.

    Returns:
        Captions by name of the picture, which is a PNG in the folder.
    """
    # What the reference's first seed makes of people, by data set.
    firsts = {name: suite.of(name, suite.roles.reference)[:1] for name in suite.datasets}
    files = {name: cell.folder / PEOPLE for name, cells in firsts.items() for cell in cells}
    people = {name: open_arrays(file) for name, file in files.items() if file.is_file()}
    drawn = {
        "accuracy": curves(suite, frame, "all", folder / "accuracy.png"),
        "worst_group": curves(suite, frame, "worst", folder / "worst_group.png"),
        "cost": cost(suite, frame, folder / "cost.png"),
        "beliefs": beliefs({n: one for n, one in people.items() if "axes" in one}, folder / "beliefs.png"),
        "rewards": rewards([one for one in people.values() if "grid" in one], folder / "rewards.png"),
    }
    return {name: _CAPTIONS[name] for name, is_there in drawn.items() if is_there}


def curves(suite: Suite, frame: pd.DataFrame, group: str, path: Path) -> bool:
    """Accuracy by choices seen, one panel a data set; whether there was anything to draw.

    Args:
        suite: Which methods are ours, and which are given group labels.
        frame: All numbers.
        group: "all" or "worst"; the mean stands for the worst group where there is one group only.
        path: PNG to write.
    """
    found = frame[(frame.slice == "") & frame.metric.isin(["accuracy", "bayes_accuracy"])]
    has_groups = found.groupby("data").group.transform(lambda groups: "worst" in set(groups))
    found = found[found.group == has_groups.map({True: group, False: "all"})].dropna(subset="value")
    if not len(found):
        return False
    label = "accuracy, %" if group == "all" else "accuracy in the worst group, %"
    names, styles = found.data.unique(), styles_of(suite)
    figure, panels = panels_of(len(names), label)
    for panel, name in zip(panels, names, strict=True):
        here = found[found.data == name]
        for method, line in here[here.metric == "accuracy"].groupby("method", sort=False):
            panel.plot(line.context_size**0.5, 100 * line.value, **styles[str(method)])
        limit = here[here.metric == "bayes_accuracy"].set_index("context_size").value
        if len(limit):
            limit_line(panel, limit)
        by_choices(panel, name, sorted(here.context_size.unique()))
    legend(figure, panels)
    save(figure, path)
    return True


def cost(suite: Suite, frame: pd.DataFrame, path: Path) -> bool:
    """Accuracy after the most choices by what a method costs, means over the data sets that all have."""
    costs = frame[frame.metric.isin(list(COSTS))]
    if not len(costs):
        return False
    by_data = costs[costs.metric == "parameters"].groupby("data").method.nunique()
    shared = [name for name in suite.datasets if by_data.get(name, 0) == len(suite.methods)]
    names = shared or suite.datasets[:1]
    last = at_most(frame)
    last = last[(last.group == "all") & (last.metric == "accuracy") & last.data.isin(names)]
    accuracy = last.pivot(index="method", columns="data", values="value").mean(axis=1, skipna=False)
    known = [metric for metric in COSTS if (costs.metric == metric).any()]
    figure, panels = panels_of(len(known), f"accuracy, %, mean of {len(names)} data set(s)")
    styles = styles_of(suite)
    for panel, metric in zip(panels, known, strict=True):
        spent = costs[(costs.metric == metric) & costs.data.isin(names)].groupby("method").value.mean()
        for method in [method for method in suite.methods if method in spent.index]:
            style = styles[method] | {"markersize": 9, "linestyle": "none"}
            panel.plot([max(spent[method], 1e-3)], [100 * accuracy.get(method, np.nan)], **style)
        _log_axis(panel)
        frameless(panel, COSTS[metric])
    legend(figure, panels)
    save(figure, path)
    return True


def _log_axis(panel: Any) -> None:
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 100 * low else (1,), numticks=8))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    panel.xaxis.set_minor_locator(NullLocator())


def beliefs(maps: Mapping[str, Mapping[str, NDArray[Any]]], path: Path) -> bool:
    """Two principal axes of the beliefs about test people, one panel a data set, a colour a group."""
    if not maps:
        return False
    figure, panels = panels_of(len(maps), "second axis")
    for panel, (name, found) in zip(panels, maps.items(), strict=True):
        groups = np.unique(found["group"])
        for number, group in enumerate(groups):
            style = {"color": (_OURS, *_OTHERS)[number % 9], "marker": _MARKERS[number // 9 % 8]}
            points = found["axes"][found["group"] == group].T
            panel.scatter(*points, s=7, alpha=0.7, linewidths=0, label=group or "all users", **style)
        frameless(panel, name)
        panel.set_xlabel("first axis")
        if len(groups) <= 14:
            panel.legend(fontsize=6, markerscale=1.6, frameon=False, ncols=2)
    save(figure, path)
    return True


def rewards(found: Sequence[Mapping[str, NDArray[Any]]], path: Path) -> bool:
    """Rewards of a numeric option for several people, one panel a number of choices seen."""
    if not found:
        return False
    one = found[0]
    figure, panels = panels_of(len(one["sizes"]), "reward, nats, less its mean")
    kinds = list(dict.fromkeys(one["kind"]))
    for panel, size, curves_of in zip(panels, one["sizes"], one["rewards"], strict=True):
        for kind, reward in zip(one["kind"], curves_of, strict=True):
            style = {"color": (_OURS, *_OTHERS)[kinds.index(kind) % 9], "linewidth": 1.2, "alpha": 0.8}
            panel.plot(one["grid"], reward - reward.mean(), label=kind, **style)
        frameless(panel, f"choices seen: {size}")
        panel.set_xlabel("option")
    legend(figure, panels)
    save(figure, path)
    return True


def styles_of(suite: Suite) -> dict[str, dict[str, Any]]:
    """How each method is drawn: ours thick, variants of ours thin, those given groups and pooled grey."""
    roles = suite.roles
    ours = {"color": _OURS, "linewidth": 2.8, "marker": "o", "markersize": 5, "zorder": 6}
    styles: dict[str, dict[str, Any]] = {roles.reference: ours}
    for place, method in enumerate(roles.variants):
        thin = {"linewidth": 1.0, "linestyle": "--", "marker": _MARKERS[1 + place % 7], "zorder": 4}
        styles[method] = ours | thin
    coloured = [method for method in roles.rivals if method != POOLED]
    for place, method in enumerate(coloured):
        line = {"linewidth": 1.4, "linestyle": "-" if place < 8 else "-."}
        styles[method] = {"color": _OTHERS[place % 8], "marker": _MARKERS[place % 8], **line}
    for method in roles.oracles:
        styles[method] = {"color": GREY, "linewidth": 1.4, "linestyle": "--", "marker": "d"}
    styles[POOLED] = {"color": GREY, "linewidth": 1.4, "linestyle": ":", "marker": "."}
    return {method: {"markersize": 4, **style, "label": method} for method, style in styles.items()}
