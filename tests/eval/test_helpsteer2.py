import numpy as np
import pytest

from eval.helpsteer2 import _credit, _differences, _is_matched
from fsa.choices.table import ChoiceTable
from fsa.types import Choice, Pick

TABLE = ChoiceTable.from_choices(
    [Choice("ann", "p", ("a" * 100, "b" * 110), Pick(0)), Choice("ann", "q", ("c" * 10, "d" * 100), Pick(1))]
)


def test_differences_are_first_less_second_with_the_sign_of_the_choice():
    features = np.arange(TABLE.num_items, dtype=float)[:, None] ** 2  # 0, 1, 4, 9
    differences, chosen = _differences(TABLE, features)
    assert differences[:, 0].tolist() == [-1, -5]
    assert chosen.tolist() == [1, -1]


def test_a_margin_of_nothing_is_half_right():
    assert _credit(np.array([2.0, -1.0, 0.0]), np.array([1, 1, -1])).tolist() == [1, 0, 0.5]


def test_pairs_are_matched_where_length_does_not_decide():
    """log(111 / 101) is 0.09, log(101 / 11) is 2.2; the bound is 0.25."""
    assert _is_matched(TABLE).tolist() == [True, False]
    assert np.log(111 / 101) == pytest.approx(0.094, abs=1e-3)
