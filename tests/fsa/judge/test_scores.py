"""Probes and scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsa.errors import ConfigError, ShapeError
from fsa.judge.scores import AttributeScores, Labelled, Probe


@pytest.mark.parametrize("value", [-0.01, 1.01, np.inf, -np.inf])
def test_scores_outside_the_range_cannot_appear(value: float) -> None:
    with pytest.raises(ConfigError, match="score of care for response 1 must be from 0 to 1"):
        AttributeScores(("care",), np.array([[0.5], [value]]))


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError):
        AttributeScores(("a", "b"), np.zeros((2, 1)))
    with pytest.raises(ShapeError):
        AttributeScores(("a",), np.zeros((2, 1)), spread=np.zeros((1, 1)))
    with pytest.raises(ShapeError):
        AttributeScores(("a",), np.zeros((2, 1)), reasoning=(("why",),))
    with pytest.raises(ConfigError, match="spread must be >= 0"):
        AttributeScores(("a",), np.zeros((2, 1)), spread=np.array([[0.1], [-0.1]]))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=4, max_size=4))
def test_json_gives_the_same_scores_back(values: list[float | None]) -> None:
    mean = np.array(values, np.float64).reshape(2, 2)
    scores = AttributeScores(("a", "b"), mean, mean / 2, (("x", None), (None, "y")), ("truncated",))
    again = AttributeScores.from_json(scores.to_json())
    np.testing.assert_array_equal(again.mean, mean)
    assert again.spread is not None
    np.testing.assert_array_equal(again.spread, mean / 2)
    assert (again.attributes, again.reasoning, again.problems) == (
        scores.attributes,
        scores.reasoning,
        scores.problems,
    )
    assert again.is_complete == all(value is not None for value in values)


def test_columns_come_in_the_order_asked_for() -> None:
    scores = AttributeScores(("a", "b"), np.array([[0.1, 0.2], [0.3, 0.4]]))
    np.testing.assert_array_equal(scores.columns(["b", "a"]), [[0.2, 0.1], [0.4, 0.3]])
    with pytest.raises(ConfigError, match="attribute 'c' is not scored; scored are a, b"):
        scores.column("c")


def test_a_probe_has_two_responses_and_its_labels_are_all_there() -> None:
    with pytest.raises(ConfigError, match="two responses or more"):
        Probe("k", "p", ("a",))
    probe = Probe("k", "p", ("a", "b"))
    with pytest.raises(ConfigError, match="a label is missing"):
        Labelled(probe, AttributeScores(("a",), np.array([[0.0], [np.nan]])))
    with pytest.raises(ShapeError, match="3 labels for 2 responses"):
        Labelled(probe, AttributeScores(("a",), np.zeros((3, 1))))
