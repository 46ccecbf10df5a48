"""The response nearest a target."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fsa.errors import ConfigError
from fsa.judge.scores import AttributeScores
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget

TWO = AttributeScores(("a", "b"), np.array([[1.0, 0.0], [0.0, 1.0]]))


def test_distances_by_hand() -> None:
    # From (1, 0) to (1, 0.5) is 0.5; from (0, 1) it is the root of 1 + 1/4.
    found = select(TWO, AlignmentTarget({"a": 1, "b": 0.5}))
    np.testing.assert_allclose(found.distances, [0.5, math.sqrt(1.25)])
    assert (found.index, found.ties, found.is_tie) == (0, (0,), False)


def test_only_named_attributes_count() -> None:
    assert select(TWO, AlignmentTarget({"b": 1})).index == 1


def test_weights_scale_squares() -> None:
    # 4 * 0.5^2 + 0.5^2 = 1.25 from the first, the same from the second: a tie that 4 against 1 at 0.6 breaks.
    found = select(TWO, AlignmentTarget({"a": 0.6, "b": 0.5}, {"a": 4.0}))
    np.testing.assert_allclose(found.distances, [math.sqrt(4 * 0.16 + 0.25), math.sqrt(4 * 0.36 + 0.25)])
    assert found.index == 0


def test_more_than_at_least_is_as_good() -> None:
    scores = AttributeScores(("a",), np.array([[0.9], [0.6], [0.5]]))
    assert select(scores, AlignmentTarget({"a": 0.6})).ties == (1,)
    assert select(scores, AlignmentTarget({"a": 0.6}, at_least={"a"})).ties == (0, 1)


def test_ties_are_reported() -> None:
    found = select(TWO, AlignmentTarget({"a": 0.5, "b": 0.5}))
    assert (found.index, found.ties, found.is_tie) == (0, (0, 1), True)


def test_a_missing_score_leaves_the_choice_open_unless_it_is_not_asked_for() -> None:
    scores = AttributeScores(("a", "b"), np.array([[np.nan, 0.2], [0.5, 0.8]]))
    found = select(scores, AlignmentTarget({"a": 0.5}))
    assert (found.index, found.ties) == (None, ())
    assert select(scores, AlignmentTarget({"b": 0})).index == 0


def test_a_target_that_names_something_else_is_refused() -> None:
    with pytest.raises(ConfigError, match="target names 'c'; the attributes are a, b"):
        select(TWO, AlignmentTarget({"c": 1}))


@given(
    arrays(np.float64, (4, 3), elements=st.floats(0, 1)), st.permutations(range(4)), st.permutations(range(3))
)
def test_order_of_responses_and_attributes_does_not_matter(
    mean: np.ndarray, responses: list[int], columns: list[int]
) -> None:
    names = np.array(["a", "b", "c"])
    target = AlignmentTarget({"a": 0.3, "b": 0.9, "c": 0.1}, {"b": 2.0})
    first = select(AttributeScores(tuple(names), mean), target)
    second = select(AttributeScores(tuple(names[columns]), mean[responses][:, columns]), target)
    np.testing.assert_array_equal(second.distances, first.distances[responses])
    assert {responses[place] for place in second.ties} == set(first.ties)


@given(arrays(np.float64, 3, elements=st.floats(0, 1)), st.floats(0, 1))
def test_equal_responses_tie(row: np.ndarray, level: float) -> None:
    scores = AttributeScores(("a", "b", "c"), np.stack([row, row]))
    assert select(scores, AlignmentTarget({"a": level, "c": 1 - level})).ties == (0, 1)
