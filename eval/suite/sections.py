"""Tables and verdicts of the results page, from the frame of all numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from eval.suite.claims import CLAIMED_AT, LEAD, LOST, NEEDED, holds
from eval.suite.measures import BAYES
from eval.suite.results import Roles, Suite
from eval.suite.rows import COSTS
from fsa.reports.frame import texts, wide
from fsa.reports.numbers import MISSING, number


def at_most(frame: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over all users, of groups and of the Bayes limit after the most choices of each data set."""
    found = frame[(frame.slice == "") & frame.metric.isin(["accuracy", "bayes_accuracy"])]
    return found[found.context_size == found.groupby("data").context_size.transform("max")]


def datasets(suite: Suite, frame: pd.DataFrame) -> pd.DataFrame:
    """What each data set is."""
    lines = []
    accuracy = frame[frame.metric == "accuracy"]
    for name, here in accuracy.groupby("data", sort=False):
        about = suite.of(name)[0].about
        main = here[(here.group == "all") & (here.slice == "")]
        people = (about.get("users") or {}).get(about["claim"], MISSING)
        lines.append(
            {
                "data set": name,
                "n": f"{main.n.iloc[0]:,}" if len(main) else MISSING,
                "seeds": max(main.seeds, default=0),
                "people": f"{people}{', named' if about['fixed_users'] else ''}",
                "groups": len(set(here.group) - {"all", "worst"}) or MISSING,
                "sizes": " ".join(map(str, sorted(set(main.context_size)))),
                "held out": about["claim"],
            }
        )
    return pd.DataFrame(lines)


def glance(suite: Suite, frame: pd.DataFrame) -> pd.DataFrame:
    """Methods by data sets after the most choices: mean and worst group."""
    last, roles = at_most(frame), suite.roles
    means, text = last[last.group == "all"], texts(last)
    best = best_rivals(roles, frame)
    is_best = means.method == means.data.map(best)
    mark = (means.method == roles.reference).map({True: "**", False: ""}).mask(is_best, "*")
    cells = wide(means, "method", "data", mark + text[means.index] + mark)
    worst = last[(last.group == "worst") & (last.method != BAYES)]
    least = wide(worst, "method", "data", " / " + text[worst.index]).replace("-", "")
    cells += least.reindex(index=cells.index, columns=cells.columns, fill_value="")
    by_method = means[means.method != BAYES].pivot(index="method", columns="data", values="value")
    mean = by_method.mean(axis=1, skipna=False)
    cells["mean"] = [number(mean.get(method), "accuracy") for method in cells.index]
    lines = [name for name in [*suite.methods, BAYES] if name in cells.index]
    return cells.loc[lines, [*suite.datasets, "mean"]].reset_index()


def best_rivals(roles: Roles, frame: pd.DataFrame) -> dict[str, str]:
    """The rival with the highest mean accuracy after the most choices, by data set."""
    last = at_most(frame)
    rivals = last[(last.group == "all") & last.method.isin(roles.rivals)].dropna(subset="value")
    order = {method: place for place, method in enumerate(roles.rivals)}
    rivals = rivals.assign(order=rivals.method.map(order)).sort_values(["value", "order"], ascending=[0, 1])
    return dict(rivals.groupby("data").method.first())


def claim(suite: Suite, frame: pd.DataFrame) -> dict[str, Any]:
    """Where ours is at most a point below every rival, where it is not, and the numbers behind that."""
    leads = frame[(frame.metric == LEAD) & frame.context_size.isin(CLAIMED_AT)]
    leads = leads.assign(over=leads.slice.str.removeprefix("over = "))
    leads = leads[leads.over.isin(suite.roles.rivals)]
    lowest = leads.loc[leads.groupby(["data", "context_size", "group"]).low.idxmin()]
    ends = [number(low, LEAD, sign=True) for low in lowest.low]
    text = texts(lowest, sign=True) + " [" + pd.Series(ends, lowest.index, dtype=object) + "] " + lowest.over
    kind = lowest.context_size.astype(str) + ", " + lowest.group.replace("all", "mean")
    table = wide(lowest.assign(kind=kind), "data", "kind", text)
    table = table.reindex(index=suite.datasets, fill_value=MISSING).rename_axis("data set")
    verdicts = leads.groupby("data").low.apply(lambda low: low.map(holds).all())
    table["holds"] = [{True: "yes", False: "no"}.get(verdicts.get(n), MISSING) for n in suite.datasets]
    by_verdict = {said: list(table.index[table.holds == said]) for said in ("no", MISSING)}
    return {"table": table.reset_index(), "fails": by_verdict["no"], "unknown": by_verdict[MISSING]}


def needed(suite: Suite, frame: pd.DataFrame) -> dict[str, Any] | None:
    """Choices to reach most of the oracle's gain; None where there is no such gain."""
    found = frame[frame.metric == NEEDED]
    if not len(found):
        return None
    values = found.pivot(index="method", columns="data", values="value").reindex(
        index=[method for method in suite.methods if method in set(found.method)],
        columns=found.data.unique(),
    )
    most = found.groupby("data").context_size.max()
    reached = values.columns[values.map(math.isfinite).any()]
    shown = {
        name: [f"> {most[name]}" if math.isinf(x) else number(x / 100, "share") for x in values[name]]
        for name in reached
    }
    table = pd.DataFrame(shown, values.index).replace("nan", MISSING).reset_index()
    oracles = found.drop_duplicates("data")
    return {
        "table": table,
        "verdict": no_more(suite.roles, "needs no more choices than any rival", values),
        "oracles": list(oracles.data + " " + oracles.slice.str.removeprefix("of = ")),
        "others": [name for name in suite.datasets if name not in values.columns],
    }


def noise(suite: Suite, frame: pd.DataFrame) -> dict[str, Any] | None:
    """Points lost where some choices are flipped; None where no data set differs by noise alone."""
    pairs = suite.noisy()
    found = frame[frame.metric == LOST]
    if not pairs or not len(found):
        return None
    titles = {noisy: f"{share:.0%} flipped" for _, noisy, share in pairs}
    table = wide(found.assign(title=found.data.map(titles)), "method", "title", texts(found, "interval"))
    values = 100 * found.pivot(index="method", columns="data", values="value")[list(titles)]
    best = best_rivals(suite.roles, frame)
    compared = {noisy: (suite.roles.reference, best.get(clean)) for clean, noisy, _ in pairs}
    values = values.apply(lambda column: column.where(column.index.isin(compared[column.name])))
    lines = [method for method in suite.methods if method in table.index]
    return {
        "table": table.loc[lines].reset_index(),
        "verdict": no_more(suite.roles, "loses no more points than the best rival without noise", values),
        "pairs": [f"{share:.0%}: {noisy} against {clean}" for clean, noisy, share in pairs],
    }


def no_more(roles: Roles, what: str, values: pd.DataFrame) -> str:
    """On which data sets ours has no larger number than any rival, by the numbers alone, and where it has.

    Args:
        roles: Who is a rival.
        what: What ours then does.
        values: Numbers by method and data set.
    """
    no_larger, larger, neither = [], [], []
    for name in values.columns:
        known = values[name].dropna()
        mine, theirs = known.get(roles.reference), known[known.index.isin(roles.rivals)]
        if mine is None or not len(theirs):
            continue
        least = theirs.loc[[rival for rival in roles.rivals if rival in theirs.index]].idxmin()
        if math.isinf(mine) and math.isinf(theirs[least]):
            neither.append(name)
        elif mine <= theirs[least]:
            no_larger.append(name)
        else:
            larger.append(f"{name} ({_or_never(mine)}, {least} {_or_never(theirs[least])})")
    return (
        f"**{roles.reference} {what} on: {', '.join(no_larger) or 'no data set'}.**"
        + (f" More on: {'; '.join(larger)}." if larger else "")
        + (f" Reached by no method on: {', '.join(neither)}." if neither else "")
    )


def _or_never(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.1f}"


def cost(suite: Suite, frame: pd.DataFrame) -> pd.DataFrame:
    """Seconds, milliseconds and parameters: means over data sets."""
    found = frame[frame.metric.isin(list(COSTS))]
    means = found.pivot_table(index="method", columns="metric", values="value")
    means = means.reindex(index=suite.methods, columns=list(COSTS))
    return means.map(_short).rename(columns=COSTS).rename_axis("method").reset_index()


def _short(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def alone(frame: pd.DataFrame) -> list[str]:
    """Data sets on which training was timed with nothing beside it."""
    return list(frame[frame.metric == "train_alone_seconds"].data.unique())


def last_cell(suite: Suite) -> Mapping[str, Any]:
    """What the cell says that was finished last."""
    return max((cell.about for cell in suite.cells), key=lambda about: str(about.get("date", "")))
