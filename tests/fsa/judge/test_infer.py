"""Targets inferred from choices."""

import math

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.judge.infer import infer_target, prior
from fsa.judge.scores import AttributeScores
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget


def pairs(count: int, attributes: int = 2, seed: int = 0) -> list[AttributeScores]:
    generator = np.random.default_rng(seed)
    names = tuple("abcdef"[:attributes])
    return [AttributeScores(names, generator.random((2, attributes))) for _ in range(count)]


def test_one_attribute_by_hand() -> None:
    # Scores 0 and 1, the second chosen: at level t the distances are t and 1 - t, so the odds are e^(2t - 1).
    scores = AttributeScores(("a",), np.array([[0.0], [1.0]]))
    belief = infer_target([1], [scores], sharpnesses=[1.0])
    levels = np.array([0, 0.25, 0.5, 0.75, 1])
    likelihood = 1 / (1 + np.exp(1 - 2 * levels))
    wanted = likelihood / likelihood.sum()
    np.testing.assert_allclose(belief.probability[:, 0], wanted)
    mean = float(wanted @ levels)
    assert math.isclose(belief.mean["a"], mean)
    assert math.isclose(belief.spread["a"], math.sqrt(float(wanted @ (levels - mean) ** 2)))
    np.testing.assert_allclose(belief.choice_probabilities(scores)[1], wanted @ likelihood)


def test_the_prior_gives_every_number_of_attributes_the_same() -> None:
    belief = prior(("a", "b", "c"))
    size = (~np.isnan(belief.levels)).sum(1)
    shares = [belief.probability[size == n].sum() for n in (1, 2, 3)]
    np.testing.assert_allclose(shares, 1 / 3)
    assert len(belief.levels) == 6**3 - 1
    np.testing.assert_allclose(belief.mean["a"], 0.5)


def test_many_choices_find_the_target_and_grow_sure() -> None:
    target, scores = AlignmentTarget({"a": 0.25}), pairs(200)
    choices = [select(one, target).index or 0 for one in scores]
    belief, early = infer_target(choices, scores), infer_target(choices[:2], scores[:2])
    assert belief.named["a"] > 0.99
    assert abs(belief.mean["a"] - 0.25) < 0.05
    assert belief.spread["a"] < early.spread["a"]
    fresh = pairs(200, seed=1)
    right = [select(one, belief.target()).index == select(one, target).index for one in fresh]
    assert np.mean(right) > 0.9
    sure = [belief.choice_probabilities(one).argmax() == select(one, target).index for one in fresh]
    assert np.mean(sure) > 0.9


def test_the_order_of_choices_does_not_matter() -> None:
    scores = pairs(6)
    choices = [0, 1, 1, 0, 1, 0]
    one, two = infer_target(choices, scores), infer_target(choices[::-1], scores[::-1])
    np.testing.assert_allclose(one.probability, two.probability, rtol=1e-9)


def test_the_opposite_choices_give_another_belief() -> None:
    scores = pairs(8)
    one, two = infer_target([0] * 8, scores), infer_target([1] * 8, scores)
    fresh = pairs(1, seed=5)[0]
    assert one.choice_probabilities(fresh).sum() == pytest.approx(1)
    assert not np.allclose(one.probability, two.probability)


def test_misuse_is_one_clear_error() -> None:
    scores = pairs(2)
    with pytest.raises(ConfigError, match="one choice a probe, at least one, came 0 for 0"):
        infer_target([], [])
    with pytest.raises(ConfigError, match="came 1 for 2 probes"):
        infer_target([0], scores)
    with pytest.raises(ConfigError, match="choice 1 must be from 0 to 1, came 2"):
        infer_target([0, 2], scores)
    with pytest.raises(ConfigError, match="a score is missing"):
        infer_target([0], [AttributeScores(("a",), np.array([[np.nan], [0.5]]))])
    with pytest.raises(ConfigError, match="1 to 6 attributes are inferred, came 7"):
        prior(tuple("abcdefg"))
    with pytest.raises(ConfigError, match="sharpnesses must be numbers > 0"):
        infer_target([0, 0], scores, sharpnesses=[0.0])
