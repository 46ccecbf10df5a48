"""Measures of a text as features."""

import math

import pytest
from numpy.testing import assert_allclose

from fsa.errors import FeatureError
from fsa.features.measured import Measured

# A small one, for the family's contract.
EXAMPLES = {"Measured": lambda backbones: Measured(["log_length"])}


def test_measures_are_the_features_and_nothing_else_is() -> None:
    features = Measured(["log_words", "log_length"])
    assert_allclose(
        features.extract(["asked", ""], ["one two", "four"]),
        [[math.log(3), math.log(8)], [math.log(2), math.log(5)]],
    )
    assert features.width == 2


def test_other_measures_have_another_fingerprint() -> None:
    assert Measured(["log_words"]).fingerprint != Measured().fingerprint


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(FeatureError, match="'colour'"):
        Measured(["colour"])
