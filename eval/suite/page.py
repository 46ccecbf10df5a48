"""The results page of a suite: what a reader reads, with every number in a CSV beside it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from eval.suite import figures, sections
from eval.suite.claims import ALLOWED, GAIN, LEAD
from eval.suite.results import Suite
from eval.suite.rows import rows_of_suite
from fsa.files import write_whole
from fsa.reports.frame import write_csv
from fsa.reports.report import Report
from fsa.reports.tables import markdown

WIDTH = 120
"""Characters in a line of prose."""
TABLE_WIDTH = 140
"""Characters in a line of a table; a wider one is cut into several."""
CSV = "full.csv"


def write(out: Path, docs: Path, *, num_resamples: int = 1000) -> None:
    """Write a page; in a folder beside it its pictures and `full.csv`; and OUT/report.json.

    Args:
        out: Folder of a suite; see `eval.suite.cells`.
        docs: The page, `docs/results.md`. A file `results_notes.md` beside it stands in the page word for
            word, if there is one: what was tried where the claim fails.
        num_resamples: Of the intervals.

    Raises:
        ConfigError: No cell is done, or two cells of a data set were not asked the same.
    """
    suite = Suite.read(out)
    about = {name: value for name, value in suite.about.items() if name != "cells"}
    about |= {"cells": {"done": len(suite.cells), "planned": suite.planned}}
    report = Report(rows_of_suite(suite, num_resamples=num_resamples), about)
    report.save_json(suite.folder)
    folder = docs.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / CSV, report.frame)
    pictures = figures.draw(suite, report.frame, folder)
    write_whole(docs, page(suite, report, pictures, docs))


def page(suite: Suite, report: Report, pictures: dict[str, str], docs: Path) -> str:
    """The page's text.

    Args:
        suite: Who is compared, and what the cells say of themselves.
        report: All numbers.
        pictures: Captions by name.
        docs: Where it will lie.
    """
    frame, last, tried = report.frame, sections.last_cell(suite), docs.with_name(docs.stem + "_notes.md")
    versions = ", ".join(f"{name} {version}" for name, version in (last.get("versions") or {}).items())
    text = _template().render(
        name=suite.about.get("name", suite.folder.name),
        folder=docs.stem,
        command=suite.about.get("command", "python -m eval.suite"),
        done=len(suite.cells),
        planned=suite.planned,
        last={"date": last.get("date"), "split": last.get("split")},
        commits=sorted({str(cell.about.get("commit") or "unknown")[:10] for cell in suite.cells}),
        versions=versions,
        seeds=sorted({cell.seed for cell in suite.cells}),
        roles=suite.roles,
        datasets=sections.datasets(suite, frame),
        glance=sections.glance(suite, frame),
        pictures=pictures,
        allowed=f"{100 * ALLOWED:.1f}",
        lead=LEAD,
        claim=sections.claim(suite, frame),
        tried=tried.read_text(encoding="utf-8").strip() if tried.is_file() else "",
        gain=f"{GAIN:.0%}",
        needed=sections.needed(suite, frame),
        noise=sections.noise(suite, frame),
        cost=sections.cost(suite, frame),
        alone=sections.alone(frame),
        busy=sorted({int(cell.about.get("processes") or 1) for cell in suite.cells}),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"  # what a tag stood on is an empty line


def _template() -> Template:
    here = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,
    )
    here.filters["prose"] = prose
    here.filters["table"] = lambda cells: markdown(cells, TABLE_WIDTH)
    return here.get_template("results.md.jinja")


def prose(text: str) -> str:
    """A paragraph, its lines no wider than a screen."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
