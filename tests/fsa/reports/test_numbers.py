"""Numbers in their units, everywhere alike."""

import math

import pytest

from fsa.reports.numbers import number, span, with_interval


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (0.8754, "accuracy", "87.5"),
        (0.5, "nll", "0.500"),
        (None, "nll", "-"),
        (math.nan, "accuracy", "-"),
        (-0.0001, "over_accuracy", "0.0"),  # no minus before a zero
        (0.9994, "accuracy", "99.94"),  # within half a point of 100
        (1.0, "accuracy", "100.0"),
        (0.0049, "win_rate", "0.49"),
    ],
)
def test_numbers_in_their_units(value, metric, shown):
    assert number(value, metric) == shown


def test_a_sign_stands_before_what_is_more_than_nothing():
    assert number(0.12, "lead_accuracy", sign=True) == "+12.0"
    assert number(-0.0001, "lead_accuracy", sign=True) == "+0.0"


def test_an_interval_follows_where_there_is_one():
    assert with_interval(0.8754, 0.8, 0.9, "accuracy") == "87.5 [80.0, 90.0]"
    assert with_interval(0.5, None, None, "nll") == "0.500"
    assert with_interval(None, 0.1, 0.2, "nll") == "-"


def test_whole_numbers_from_the_least_to_the_most():
    assert (span([1200]), span([1200, 3, 40]), span([])) == ("1,200", "3 to 1,200", "0")
