"""Markdown tables that are as readable unrendered; `test_report` has the tables of whole reports."""

import pandas as pd

from fsa.reports.tables import markdown


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
