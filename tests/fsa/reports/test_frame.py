"""Rows as a frame: one line each, missing numbers, texts and tables in the order in which rows came."""

import math

import pandas as pd

from fsa.reports.frame import frame_of, texts, wide, write_csv
from fsa.reports.row import Row

ROWS = [
    Row("d", "late", "all", {"matched": True, "size": 2}, 3, "accuracy", 0.75, 0.7, 0.8, 10, 1),
    Row("d", "early", "all", {}, 0, "accuracy", None, None, None, 10, 1),
]


def test_every_row_is_a_line_with_its_slice_in_words():
    frame = frame_of(ROWS)
    assert list(frame.slice) == ["matched = True, size = 2", ""]
    assert math.isnan(frame.value[1])
    assert list(texts(frame, "interval")) == ["75.0 [70.0, 80.0]", "-"]


def test_no_rows_have_all_columns():
    assert len(frame_of([])) == 0
    assert "context_size" in frame_of([]).columns


def test_lines_and_columns_of_a_table_come_as_the_rows_came():
    frame = frame_of(ROWS)
    table = wide(frame, "method", "context_size", texts(frame))
    assert (list(table.index), list(table.columns)) == (["late", "early"], [3, 0])
    assert table.to_numpy().tolist() == [["75.0", "-"], ["-", "-"]]


def test_of_two_numbers_about_the_same_the_later_stands():
    frame = frame_of([ROWS[0], Row(**(vars(ROWS[0]) | {"value": 0.5}))])
    assert wide(frame, "method", "context_size", texts(frame)).to_numpy().tolist() == [["50.0"]]


def test_a_csv_holds_six_digits_and_what_is_never_reached(tmp_path):
    frame = frame_of([Row("d", "m", "all", {}, 3, "needed", 1 / 3, 0.1, math.inf, 10, 1)])
    write_csv(tmp_path / "full.csv", frame)
    assert (tmp_path / "full.csv").read_text().splitlines()[1] == "d,m,all,,3,needed,0.333333,0.1,inf,10,1"
    assert pd.read_csv(tmp_path / "full.csv").high[0] == math.inf
