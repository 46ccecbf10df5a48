"""Committed predictions give the numbers that they gave at commit 1481ad7, to the digit.

One bootstrap replaced several (docs/decisions/intervals.md): intervals of some metrics were drawn anew.
"""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from eval.suite.page import write
from fsa.reports.report import Report
from fsa.reports.row import Row
from tests.factories.golden import FOLDER, context_curve, write_golden_suite

REDRAWN_IN_SUITE = {"ece"}


def golden(name: str) -> dict[tuple, Row]:
    rows = [Row.from_json(row) for row in json.loads((FOLDER / name).read_text("utf-8"))]
    return {row.key: row for row in rows}


def stored(report: Report, folder: Path) -> dict[tuple, Row]:
    return {row.key: row for row in Report.load(report.save_json(folder)).rows}


def is_redrawn(row: Row) -> bool:
    leads_of_worst = row.group == "worst" and row.metric.startswith("lead")
    return row.metric in REDRAWN_IN_SUITE or "conflicting" in row.slice or leads_of_worst


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    write_golden_suite(folder / "out")
    write(folder / "out", folder / "results.md")
    return folder


def test_the_suites_numbers_are_as_they_were(folder, tmp_path):
    rows, wanted = stored(Report.load(folder / "out"), tmp_path), golden("suite.json")
    assert rows.keys() == wanted.keys()
    for key, row in rows.items():
        old = wanted[key]
        assert (row.n, row.seeds) == (old.n, old.seeds)
        assert row.value == pytest.approx(old.value, abs=1e-9), key
        if not is_redrawn(row):
            assert (row.low, row.high) == pytest.approx((old.low, old.high), abs=1e-6), key


def test_intervals_drawn_anew_differ_by_a_part_of_their_width(folder, tmp_path):
    rows, wanted = stored(Report.load(folder / "out"), tmp_path), golden("suite.json")
    moved = [
        max(abs(row.low - old.low), abs(row.high - old.high)) / max(old.high - old.low, 1e-9)
        for key, row in rows.items()
        for old in [wanted[key]]
        if is_redrawn(row) and old.high > old.low
    ]
    assert len(moved) > 20
    assert max(moved) < 0.35
    assert sum(moved) / len(moved) < 0.1


def test_every_number_of_the_old_page_is_on_the_new_one_or_in_its_csv(folder):
    page = (folder / "results.md").read_text("utf-8")
    csv = pd.read_csv(folder / "results" / "full.csv")
    known = {text for column in ("value", "low", "high") for text in written(csv[column].dropna())}
    known |= set(re.findall(r"\d+(?:\.\d+)?", page))
    old = (FOLDER / "suite_page.md").read_text("utf-8").partition("## At a glance")[2]
    cells = [line for line in old.partition("## Notes on rivals")[0].splitlines() if line.startswith("|")]
    redrawn = re.compile(r"\[[^]]*\]")  # ends of an interval may be drawn anew: above they are held
    numbers = {number for line in cells for number in re.findall(r"\d+\.\d+", redrawn.sub("", line))}
    assert len(numbers) > 100
    assert sorted(numbers - known) == []


def written(values: pd.Series) -> set[str]:
    """A number as a page may write it: as it is and in percent, with up to three decimals."""
    scaled = [scale * abs(value) for value in values for scale in (1, 100)]
    return {f"{value:.{decimals}f}" for value in scaled for decimals in (1, 2, 3)}


def test_the_context_curve_is_as_it_was(tmp_path):
    rows, wanted = stored(context_curve(), tmp_path), golden("context_curve.json")
    assert rows.keys() == wanted.keys()
    for key, row in rows.items():
        assert (row.value, row.n, row.seeds) == pytest.approx(
            (wanted[key].value, wanted[key].n, wanted[key].seeds), abs=1e-9
        )
