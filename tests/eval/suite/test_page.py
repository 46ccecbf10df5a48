"""The page from a made-up suite: what stands where, what is missing, and where the numbers come from."""

import json

import pandas as pd
import pytest

from eval.suite.page import TABLE_WIDTH, write
from fsa.reports.report import Report
from tests.factories import finished_suite as made_up_suite

OURS = {0: (0.5, 0.5), 3: (0.7, 0.6), 10: (0.9, 0.8)}
BETTER = {0: (0.5, 0.5), 3: (0.9, 0.9), 10: (1.0, 1.0)}
FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    made_up_suite.write(
        folder / "out",
        {
            "easy": {"NP-BTL": OURS, "VPL": FLAT, "pooled": FLAT, "dedicated": BETTER},
            "hard": {"NP-BTL": OURS, "VPL": BETTER, "pooled": FLAT},
        },
        conflicting=("hard",),
    )
    (folder / "results_notes.md").write_text("Nobody | tried *this* yet.\n")
    write(folder / "out", folder / "results.md", num_resamples=100)
    return folder


def text(page) -> str:
    return (page / "results.md").read_text()


def test_the_head_says_where_it_comes_from(page):
    head = text(page).partition("## At a glance")[0]
    wanted = [
        "python -m eval.suite --config x",
        "0123456789",
        "14 of 15",
        "2026-01-02",
        "fsa 0.1.0",
        "0, 1",
        "test",
    ]
    assert [part for part in wanted if part not in head] == []


def test_at_a_glance_marks_ours_and_the_best_rival_and_shows_what_is_missing(page):
    lines = text(page).partition("## At a glance")[2].partition("##")[0].splitlines()
    rows = {
        line.split("|")[1].strip(): [c.strip() for c in line.split("|")[2:-1]]
        for line in lines
        if "|" in line
    }
    # (0.9 + 0.8) / 2 = 85 in the mean, 80 in the worst group. VPL comes before pooled, which has 50 too.
    assert rows["NP-BTL"] == ["**85.0** / 80.0", "**85.0** / 80.0", "85.0"]
    assert rows["VPL"] == ["*50.0* / 50.0", "*100.0* / 100.0", "75.0"]
    assert rows["dedicated"] == ["100.0 / 100.0", "-", "-"]


def test_the_claim_names_where_it_fails(page):
    assert "**The claim fails on: hard.**" in text(page)
    # At 10 choices on `hard`: 85 - 100 in the mean, 80 - 100 in the worst group.
    line = next(line for line in text(page).splitlines() if line.startswith("| hard") and "VPL" in line)
    assert ("-15.0" in line, "-20.0" in line, line.rstrip(" |").endswith("no")) == (True, True, True)


def test_what_was_tried_stands_word_for_word(page):
    assert "\n## What was tried\n\nNobody | tried *this* yet.\n" in text(page)


def numbers(page) -> pd.DataFrame:
    return pd.read_csv(page / "results" / "full.csv", na_filter=False)


def test_places_and_calibration_are_in_the_csv(page):
    csv = numbers(page)
    assert "targets = new people" in set(csv.slice)
    found = csv[(csv.data == "easy") & (csv.method == "NP-BTL") & (csv.metric == "ece")]
    # Confidence is 0.9 always; at 0 and 10 choices half and 85 % are right: errors of 40 and 5 points.
    assert found.value.tolist() == pytest.approx([0.4, 0.25, 0.05])


def test_shares_of_conflicting_choices_are_in_the_csv(page):
    csv = numbers(page)
    found = csv[(csv.data == "hard") & (csv.method == "NP-BTL") & csv.slice.str.startswith("conflicting")]
    assert found[["slice", "value"]].values.tolist() == [
        ["conflicting = 0.0", 0.5],
        ["conflicting = 1.0", 1.0],
    ]
    assert (set(found.n), set(found.seeds)) == ({200}, {2})


def test_no_line_of_a_table_is_wider_than_a_screen(page):
    lines = text(page).splitlines()
    assert sum(line.startswith("|") for line in lines) > 20
    assert [line for line in lines if line.startswith("|") and len(line) > TABLE_WIDTH] == []


def test_pictures_are_there_and_small(page):
    pictures = sorted((page / "results").glob("*.png"))
    assert [path.stem for path in pictures] == [
        "accuracy",
        "cost",
        "worst_group",
    ]  # there are no runs to open
    assert max(path.stat().st_size for path in pictures) < 100_000
    assert [path.stem for path in pictures if f"(results/{path.name})" not in text(page)] == []


def test_the_report_holds_the_same_numbers(page):
    report = Report.load(page / "out")
    assert json.loads((page / "out" / "report.json").read_text())["about"]["cells"] == {
        "done": 14,
        "planned": 15,
    }
    (found,) = (row for row in report.rows if row.key == ("easy", "", "accuracy", "NP-BTL", 10, "all"))
    assert (round(found.value, 9), found.n, found.seeds) == (0.85, 200, 2)
    assert found.low <= 0.85 <= found.high


def test_the_page_says_where_a_rival_needs_fewer_choices(page, tmp_path):
    assert "Reached by no method on: easy." in " ".join(text(page).split())
    methods = {"NP-BTL": OURS, "VPL": BETTER, "pooled": FLAT, "dedicated": BETTER}
    made_up_suite.write(tmp_path / "out", {"lost": methods}, seeds=1)
    write(tmp_path / "out", tmp_path / "results.md", num_resamples=10)
    # Of the way from 0.5 to 1, 90 % is 0.95, half way between VPL's 0.9 after 3 choices and 1 after 10.
    assert "on: no data set.** More on: lost (never, VPL 6.5)." in text(tmp_path)
