"""Markdown tables that are as readable unrendered; `test_report` has the tables of whole reports."""

import pandas as pd

from fsa.reports.frame import frame_of
from fsa.reports.row import Row
from fsa.reports.tables import markdown, tables


def test_a_wide_table_is_cut_under_its_first_column():
    made = markdown(pd.DataFrame({"name": ["a|b"], "one": ["1"], "two": ["2"]}), width=16)
    assert made.splitlines() == [
        "| name | one |",
        "| ---- | --: |",
        "| a\\|b |   1 |",
        "",
        "| name | two |",
        "| ---- | --: |",
        "| a\\|b |   2 |",
    ]


def test_a_table_of_any_width_is_one():
    made = markdown(pd.DataFrame({"name": ["a"], "one": ["1" * 200]}))
    assert len(made.splitlines()) == 3


def curve(**changes: str) -> pd.DataFrame:
    given = {"data": "tea", "slice": {}, **changes}
    return frame_of(
        [
            Row(given["data"], "ours", "all", given["slice"], size, "accuracy", 0.5, None, None, 19_035, 1)
            for size in (3, 10)
        ]
    )


COUNTS = {"tea": {"people": 18, "choices": 360, "seen": {"3": 3.0, "10": 3.14}}}


def test_a_column_says_how_many_choices_were_seen_where_people_have_fewer():
    (table,) = tables(curve(), COUNTS)
    assert table.heads == ["3", "10 (3.14)"]
    assert "| 10 (3.14) |" in table.markdown()
    assert "people have fewer" in table.footnote()


def test_n_is_predictions_of_some_choices_of_some_people():
    (table,) = tables(curve(), COUNTS)
    assert "n = 19,035 predictions a number, of 360 choices of 18 people, seeds = 1" in table.footnote()


def test_counts_of_other_data_or_of_everything_do_not_stand_under_a_slice():
    (other,) = tables(curve(data="milk"), COUNTS)
    (part,) = tables(curve(slice={"long": True}), COUNTS)
    assert other.heads == part.heads == ["3", "10"]
    assert "people" not in other.footnote() + part.footnote()
