"""The rest of the results page: choices needed, noise, cost, and every data set by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from eval.suite.claims import GAIN, LOST, NEEDED
from eval.suite.measures import BAYES
from eval.suite.page_overview import best_rival
from eval.suite.page_tables import MISSING, Numbers, number, prose, table
from eval.suite.results import Roles, Suite
from eval.suite.rows import COSTS
from fsa.reports.row import Row

_METRICS = {
    "accuracy": "Accuracy, % [95 %]",
    "nll": "Negative log-likelihood, nats a choice (even odds between two: 0.693)",
    "ece": "Expected calibration error, %",
    "flip_accuracy": "Accuracy once every choice seen is reversed, % (low: it follows the choices)",
}


def needed(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Choices to reach most of the oracle's gain."""
    yield f"## Choices needed for {GAIN:.0%} of the oracle's gain over pooled"
    found = {(row.data, row.method): row for row in numbers.rows if row.metric == NEEDED}
    names = list(dict.fromkeys(name for name, _ in found))
    methods = [method for method in suite.methods if any((name, method) in found for name in names)]
    if not names:
        yield "No data set has both an oracle and a gain of it over pooled that is told from zero."
        return
    body = [[method, *(_choices(found.get((name, method))) for name in names)] for method in methods]
    oracles = {
        name: next(str(row.slice["of"]) for key, row in found.items() if key[0] == name) for name in names
    }
    yield table(["method", *names], body)
    values = {n: {m: _value(found.get((n, m)), 1) for m in methods} for n in names}
    yield _no_more(suite.roles, "needs no more choices than any rival", values)
    others = [name for name in suite.datasets if name not in names]
    yield prose(
        "Straight lines between the sizes measured, [95 %]; `> 10`: not reached after so many. Oracle: "
        + "; ".join(f"{name} {oracle}" for name, oracle in oracles.items())
        + (f". Without a gain of the oracle that is told from zero: {', '.join(others)}." if others else ".")
    )


def _choices(row: Row | None) -> str:
    if row is None or row.value is None or row.low is None or row.high is None:
        return MISSING
    most = row.context_size
    value, low, high = (f"> {most}" if math.isinf(x) else f"{x:.1f}" for x in (row.value, row.low, row.high))
    return f"{value} [{low}, {high}]"


def noise(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Points lost where some choices are flipped."""
    pairs = suite.noisy()
    if not pairs:
        return
    yield "## Points lost to flipped choices"
    body = []
    for method in suite.methods:
        found = [number(_row_lost(numbers, noisy, method, share), interval=True) for _, noisy, share in pairs]
        if any(cell != MISSING for cell in found):
            body.append([method, *found])
    yield table(["method", *(f"{share:.0%} flipped" for _, _, share in pairs)], body)
    roles, lost = suite.roles, {}
    for clean, noisy, share in pairs:
        compared = (roles.reference, best_rival(roles, numbers, clean) or MISSING)
        lost[noisy] = {method: _value(_row_lost(numbers, noisy, method, share), 100) for method in compared}
    yield _no_more(roles, "loses no more points than the best rival without noise", lost)
    told = "; ".join(f"{share:.0%}: {noisy} against {clean}" for clean, noisy, share in pairs)
    yield prose(f"Accuracy after the most choices without noise less that with it, points [95 %]. {told}.")


def _value(row: Row | None, scale: float) -> float | None:
    return None if row is None or row.value is None else scale * row.value


def _no_more(roles: Roles, what: str, values: Mapping[str, Mapping[str, float | None]]) -> str:
    """On which data sets ours has no larger number than any rival, by the numbers alone, and where it has."""
    holds, fails, neither = [], [], []
    for name, by_method in values.items():
        theirs = {m: x for m, x in by_method.items() if m in roles.rivals and x is not None}
        mine, least = by_method.get(roles.reference), min(theirs, key=theirs.__getitem__, default=None)
        if mine is None or least is None:
            continue
        if math.isinf(mine) and math.isinf(theirs[least]):
            neither.append(name)
        elif mine <= theirs[least]:
            holds.append(name)
        else:
            fails.append(f"{name} ({_or_never(mine)}, {least} {_or_never(theirs[least])})")
    return prose(
        f"**{roles.reference} {what} on: {', '.join(holds) or 'no data set'}.**"
        + (f" More on: {'; '.join(fails)}." if fails else "")
        + (f" Reached by nobody on: {', '.join(neither)}." if neither else "")
    )


def _or_never(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.1f}"


def _row_lost(numbers: Numbers, noisy: str, method: str, share: float) -> Row | None:
    return numbers.get(noisy, method, LOST, numbers.most(noisy), part={"flipped": share})


def cost(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Seconds, milliseconds and parameters."""
    yield "## Cost"
    body = []
    for method in suite.methods:
        cells = []
        for metric in COSTS:
            rows = [numbers.get(name, method, metric) for name in suite.datasets]
            cells.append(_range([row for row in rows if row is not None]))
        body.append([method, *cells])
    yield table(["method", *COSTS.values()], body)
    alone = list(dict.fromkeys(row.data for row in numbers.rows if row.metric == "train_alone_seconds"))
    busy = sorted({int(cell.about.get("processes") or 1) for cell in suite.cells})
    yield prose(
        "Mean over data sets (least to most), features left out. Alone: one seed, one process and thread, "
        f"nothing beside it, on {', '.join(alone) or 'no data set yet'}; "
        f"else with {', '.join(map(str, busy))} cells at a time. "
        "A new person: from 10 choices to rewards of 20 options, one process, a pass of its own."
    )


def _range(rows: Sequence[Row]) -> str:
    values = [row.value for row in rows if row.value is not None]
    if not values:
        return MISSING
    mean = sum(values) / len(values)
    return f"{_short(mean)} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def dataset(suite: Suite, numbers: Numbers, name: str) -> Iterator[str]:
    """Every measure on one data set by choices seen."""
    yield f"## {name}"
    sizes, methods = numbers.sizes(name), numbers.methods(name)
    methods = [method for method in suite.methods if method in methods]
    head = ["method", *(f"{size} choices" for size in sizes)]
    for metric, title in _METRICS.items():
        cells = {m: [numbers.get(name, m, metric, s) for s in sizes] for m in methods}
        body = [
            [m, *(number(row, interval=metric == "accuracy") for row in rows)] for m, rows in cells.items()
        ]
        if metric == "accuracy":
            body += _limit(numbers, name, sizes)
        yield f"### {name}: {title}\n\n{table(head, body)}\n\n{_standing(cells.values())}"
        if metric == "accuracy" and numbers.groups(name):
            yield from _worst(numbers, name, methods, sizes)
    yield from _places(numbers, name, methods, sizes)
    yield from _conflicts(numbers, name, methods)


def _limit(numbers: Numbers, name: str, sizes: Sequence[int]) -> list[list[str]]:
    rows = [numbers.get(name, BAYES, "bayes_accuracy", size) for size in sizes]
    return [[BAYES, *(number(row, interval=True) for row in rows)]] if any(rows) else []


def _worst(numbers: Numbers, name: str, methods: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    cells = {m: [numbers.get(name, m, "accuracy", s, "worst") for s in sizes] for m in methods}
    body = [[m, *(number(row, interval=True) for row in rows)] for m, rows in cells.items()]
    head = ["method", *(f"{size} choices" for size in sizes)]
    yield f"### {name}: accuracy in the worst of {len(numbers.groups(name))} groups, % [95 %]"
    yield f"{table(head, body)}\n\n{_standing(cells.values())}"
    groups, most = numbers.groups(name), sizes[-1]
    body = [[m, *(number(numbers.get(name, m, "accuracy", most, g)) for g in groups)] for m in methods]
    if len(groups) <= 24:
        yield f"### {name}: accuracy by group after {most} choices, %"
        yield table(["method", *(group or "(no name)" for group in groups)], body)


def _places(numbers: Numbers, name: str, methods: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    here = [row for row in numbers.rows if row.data == name and "targets" in row.slice]
    places = list(dict.fromkeys(str(row.slice["targets"]) for row in here))
    for place in places:
        cells = {
            m: [numbers.get(name, m, "accuracy", s, part={"targets": place}) for s in sizes] for m in methods
        }
        body = [[m, *(number(row, interval=True) for row in rows)] for m, rows in cells.items()]
        head = ["method", *(f"{size} choices" for size in sizes)]
        yield f"### {name}: accuracy, {place} alone, % [95 %]"
        yield f"{table(head, body)}\n\n{_standing(cells.values())}"


def _conflicts(numbers: Numbers, name: str, methods: Sequence[str]) -> Iterator[str]:
    here = [row for row in numbers.rows if row.data == name and "conflicting" in row.slice]
    for size in sorted({row.context_size for row in here}):
        rows = [row for row in here if row.context_size == size]
        shares = sorted({float(row.slice["conflicting"]) for row in rows})
        cells = {
            m: [numbers.get(name, m, "accuracy", size, part={"conflicting": share}) for share in shares]
            for m in methods
        }
        body = [[m, *(number(row, interval=True) for row in found)] for m, found in cells.items()]
        yield f"### {name}: accuracy by share of conflicting choices among {size} seen, % [95 %]"
        yield f"{table(['method', *(f'{s:.0%}' for s in shares)], body)}\n\n{_standing(cells.values())}"


def _standing(cells: Iterable[list[Row | None]]) -> str:
    """n and seeds behind a table."""
    rows = [row for line in cells for row in line if row is not None]
    n, seeds = (sorted({getattr(row, name) for row in rows}) for name in ("n", "seeds"))
    return f"n = {_span(n)}, seeds = {_span(seeds)}."


def _span(found: Sequence[int]) -> str:
    if not found:
        return "0"
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"
