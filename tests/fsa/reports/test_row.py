"""A row from an interval, and the worst of all groups."""

import pytest

from fsa.reports.bootstrap import Interval
from fsa.reports.row import Row, is_fraction, worst


def of(value: float, group: str, metric: str = "accuracy") -> Row:
    return Row.of(Interval(value, value - 0.1, value + 0.1, 12, 3), "d", "m", group, 5, metric)


def test_a_row_has_the_interval_and_everything_else_is_said():
    assert of(0.5, "all") == Row("d", "m", "all", {}, 5, "accuracy", 0.5, 0.4, 0.6, 12, 3)


@pytest.mark.parametrize(("metric", "value"), [("accuracy", 0.3), ("nll", 0.9), ("kl_per_token", 0.9)])
def test_the_worst_group_has_the_least_or_the_most(metric, value):
    found = worst([of(0.3, "a", metric), of(0.9, "b", metric), of(0.5, "c", metric)])
    assert (found.group, found.value) == ("worst", value)


def test_fractions_are_known_by_their_names():
    assert all(map(is_fraction, ["ece", "lead_accuracy", "win_rate", "recovered_share"]))
    assert not any(map(is_fraction, ["nll", "cost_tokens"]))
