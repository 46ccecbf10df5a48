"""The first screens of the results page: how it was made, the numbers at a glance, and the claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eval.suite.claims import ALLOWED, CLAIMED_AT, LEAD, holds
from eval.suite.measures import BAYES
from eval.suite.page_tables import MISSING, Numbers, number, prose, table
from eval.suite.results import Roles, Suite
from fsa.reports.row import Row

_READ = """
Accuracy is the share of held-out choices predicted right, in percent; one half for a pair whose options
are predicted alike. Numbers in brackets are 95 % intervals over people and prompts (over prompts alone
where the people are named ones, over people alone where there is one prompt), then over seeds. The worst
group is the group with the lowest accuracy, whichever that is. All methods of a data set saw the same
choices of the same people and predicted the same others. No number was typed by hand but for those in the
section on what was tried, if there is one.
"""


def head(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Command, date, commit, versions, data sets, and how to read the page."""
    last = max((cell.about for cell in suite.cells), key=lambda about: str(about.get("date", "")))
    commits = sorted({str(cell.about.get("commit") or "unknown")[:10] for cell in suite.cells})
    versions = ", ".join(f"{name} {version}" for name, version in (last.get("versions") or {}).items())
    seeds = sorted({cell.seed for cell in suite.cells})
    title = f"# Results of the suite {suite.about.get('name', suite.folder.name)}"
    yield f"{title}\n\nWritten by a program; `python -m eval.suite` writes it again."
    yield "\n".join(
        [
            f"- command: `{suite.about.get('command', 'python -m eval.suite')}`",
            f"- cells: {len(suite.cells)} of {suite.planned}, the last of {last.get('date', 'unknown')}",
            f"- commit of the cells (`+`: with changes): {', '.join(commits)}",
            f"- versions: {versions or 'unknown'}",
            f"- seeds: {', '.join(map(str, seeds))}; split: {last.get('split', 'unknown')}",
            f"- ours: **{suite.roles.reference}**",
            f"- told the groups: {', '.join(suite.roles.oracles) or 'nobody'}",
        ]
    )
    yield prose(_READ)
    titles = ["data set", "n", "seeds", "people", "groups", "sizes", "new in the split"]
    yield table(titles, [_about(suite, numbers, name) for name in suite.datasets])
    yield "n: choices predicted by each seed at each context size."


def _about(suite: Suite, numbers: Numbers, name: str) -> list[str]:
    about = suite.of(name)[0].about
    rows = [row for row in numbers.rows if (row.data, row.metric, row.group) == (name, "accuracy", "all")]
    main = [row for row in rows if not row.slice]
    people = (about.get("users") or {}).get(about["claim"], MISSING)
    return [
        name,
        f"{main[0].n:,}" if main else MISSING,
        str(max((row.seeds for row in main), default=0)),
        f"{people}{', named' if about['fixed_users'] else ''}",
        str(len(numbers.groups(name)) or MISSING),
        " ".join(map(str, numbers.sizes(name))),
        str(about["claim"]),
    ]


def summary(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Methods by data sets after the most choices: mean and worst group."""
    yield "## At a glance"
    body = []
    best = {name: best_rival(suite.roles, numbers, name) for name in suite.datasets}
    for method in suite.methods:
        cells = [_pair(suite.roles, numbers, name, method, best[name]) for name in suite.datasets]
        body.append([method, *cells, _mean(suite, numbers, method)])
    limits = [number(numbers.get(n, BAYES, "bayes_accuracy", numbers.most(n))) for n in suite.datasets]
    if any(limit != MISSING for limit in limits):
        body.append([BAYES, *limits, MISSING])
    yield table(["method", *suite.datasets, "mean"], body)
    yield prose(
        "Accuracy after the most choices (10, if the data set has them), %: mean / worst group. "
        "**Bold**: ours; *italic*: the best rival by the mean. "
        "Last column: mean over the data sets, where all were measured. "
        "Methods told the groups are upper ends, no rivals."
    )


def best_rival(roles: Roles, numbers: Numbers, name: str) -> str | None:
    """The rival with the highest mean accuracy after the most choices."""
    found = {method: numbers.get(name, method, "accuracy", numbers.most(name)) for method in roles.rivals}
    known = {method: row.value for method, row in found.items() if row is not None and row.value is not None}
    return max(known, key=lambda method: known[method]) if known else None


def _pair(roles: Roles, numbers: Numbers, name: str, method: str, best: str | None) -> str:
    most = numbers.most(name)
    mean, worst = (number(numbers.get(name, method, "accuracy", most, group)) for group in ("all", "worst"))
    if mean == MISSING:
        return MISSING
    mark = "**" if method == roles.reference else "*" if method == best else ""
    return f"{mark}{mean}{mark}" + (f" / {worst}" if worst != MISSING else "")


def _mean(suite: Suite, numbers: Numbers, method: str) -> str:
    found = [numbers.get(name, method, "accuracy", numbers.most(name)) for name in suite.datasets]
    values = [row.value for row in found if row is not None and row.value is not None]
    return f"{100 * sum(values) / len(values):.1f}" if len(values) == len(found) else MISSING


def claim(suite: Suite, numbers: Numbers) -> Iterator[str]:
    """Where ours is at most a point below every rival, where it is not, and the numbers behind that."""
    roles = suite.roles
    yield f"## Is {roles.reference} at most {100 * ALLOWED:.1f} point below the best rival?"
    found = {name: _leads(numbers, roles, name) for name in suite.datasets}
    sizes = [size for size in CLAIMED_AT if any(key[1] == size for here in found.values() for key in here)]
    kinds = [(size, group) for size in sizes for group in ("all", "worst")]
    body = []
    for name, here in found.items():
        cells = [_lowest({key[0]: row for key, row in here.items() if key[1:] == kind}) for kind in kinds]
        body.append([name, *cells, _verdict(here)])
    titles = [f"{size}, {'mean' if group == 'all' else 'worst'}" for size, group in kinds]
    yield table(["data set", *titles, "holds"], body)
    yield prose(
        f"Points by which {roles.reference} is ahead after so many choices, and in brackets the low end of "
        "the paired 95 % interval; shown is the rival with the lowest such end. The claim holds where no low "
        f"end is under -{100 * ALLOWED:.1f}."
    )
    failed = [name for name, here in found.items() if _verdict(here) == "no"]
    open_ = [name for name, here in found.items() if _verdict(here) == MISSING]
    yield f"**The claim fails on: {', '.join(failed) or 'no data set'}.**" + (
        f" Not measured on: {', '.join(open_)}." if open_ else ""
    )
    for name in suite.datasets:
        yield from _each_rival(roles, numbers, name)


_Leads = Mapping[tuple[str, int, str], Row]


def _leads(numbers: Numbers, roles: Roles, name: str) -> _Leads:
    """Leads over rivals by rival, context size and group."""
    return {
        (rival, size, group): row
        for rival in roles.rivals
        for size in CLAIMED_AT
        for group in ("all", "worst")
        if (row := numbers.get(name, roles.reference, LEAD, size, group, {"over": rival}))
    }


def _verdict(leads: _Leads) -> str:
    return MISSING if not leads else "yes" if all(holds(row) for row in leads.values()) else "no"


def _lowest(by_rival: Mapping[str, Row]) -> str:
    if not by_rival:
        return MISSING
    rival = min(by_rival, key=lambda name: by_rival[name].low or 0.0)
    row = by_rival[rival]
    return f"{number(row, sign=True)} [{100 * (row.low or 0.0):+.1f}] {rival}"


def _each_rival(roles: Roles, numbers: Numbers, name: str) -> Iterator[str]:
    body = []
    for rival in [*roles.rivals, *roles.variants]:
        for group in ("all", "worst"):
            leads = {
                s: numbers.get(name, roles.reference, LEAD, s, group, {"over": rival}) for s in CLAIMED_AT
            }
            known = [row for row in leads.values() if row]
            if known:
                cells = [number(row, interval=True, sign=True) for row in leads.values()]
                verdict = "ours" if rival in roles.variants else "yes" if all(map(holds, known)) else "no"
                body.append([rival, "mean" if group == "all" else "worst", *cells, verdict])
    if body:
        yield f"### {name}: {roles.reference} less each rival, points [95 %]"
        yield table(["less", "of", *(f"{size} choices" for size in CLAIMED_AT), "holds"], body)
