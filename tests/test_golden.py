"""Committed predictions give the numbers that they gave at commit 1481ad7, to the digit."""

import json
from dataclasses import replace
from pathlib import Path

from eval.suite.page import write
from fsa.reports.report import Report, Row
from tests.factories.golden import FOLDER, context_curve, write_golden_suite


def golden(name: str) -> dict[tuple, Row]:
    rows = [Row.from_json(row) for row in json.loads((FOLDER / name).read_text("utf-8"))]
    return {row.key: row for row in rows}


def check(found: Report, name: str, folder: Path) -> None:
    rows = {row.key: row for row in Report.load(found.save_json(folder)).rows}
    wanted = golden(name)
    assert rows.keys() == wanted.keys()
    wrong = [key for key, row in rows.items() if plain(row) != plain(wanted[key])]
    assert wrong == []


def plain(row: Row) -> Row:
    """What counts of a row: sums in another order may change the last digits of a double."""
    rounded = {
        name: value and round(value, 9) for name in ("value", "low", "high") for value in [getattr(row, name)]
    }
    return replace(row, **rounded)


def test_the_suites_page_and_report_are_as_they_were(tmp_path):
    write_golden_suite(tmp_path / "out")
    write(tmp_path / "out", tmp_path / "results.md")
    check(Report.load(tmp_path / "out"), "suite.json", tmp_path / "again")
    page = (tmp_path / "results.md").read_text("utf-8")
    assert page == (FOLDER / "suite_page.md").read_text("utf-8")


def test_the_context_curve_is_as_it_was(tmp_path):
    report = context_curve()
    check(report, "context_curve.json", tmp_path)
    assert (
        report.markdown().split("## easy")[1]
        == (FOLDER / "context_curve_report.md").read_text("utf-8").split("## easy")[1]
    )
