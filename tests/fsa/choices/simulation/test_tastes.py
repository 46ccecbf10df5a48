import numpy as np
import pytest

from fsa.choices.simulation.tastes import POLE_NAMES, ContinuousTastes, TypeTastes, on_sphere, strongest_pole
from fsa.errors import ConfigError


def test_types_take_turns_and_have_weights_of_length_one():
    weights, group = TypeTastes(["long", "cheerful+formal"]).users(5, seed=0)
    assert group.tolist() == [0, 1, 0, 1, 0]
    assert weights[0].tolist() == [1, 0, 0, 0, 0]
    np.testing.assert_allclose(weights[1], np.array([0, 1, 1, 0, 0]) / np.sqrt(2))


@pytest.mark.parametrize("types", [["loud"], ["long+concise"], ["long", "long"], []])
def test_what_is_no_type_is_refused(types):
    with pytest.raises(ConfigError):
        TypeTastes(types)


def test_every_pole_is_a_type_and_its_own_strongest():
    weights, _ = TypeTastes(POLE_NAMES).users(len(POLE_NAMES), seed=0)
    assert strongest_pole(weights).tolist() == list(range(10))


def test_a_user_does_not_depend_on_how_many_there_are():
    few, _ = ContinuousTastes().users(3, seed=1)
    many, _ = ContinuousTastes().users(30, seed=1)
    np.testing.assert_array_equal(few, many[:3])


def test_the_prior_is_symmetric_and_of_other_people():
    prior = ContinuousTastes(num_samples=10).prior(seed=1)
    np.testing.assert_allclose(np.linalg.norm(prior, axis=1), 1)
    np.testing.assert_array_equal(prior[:5], -prior[5:])
    assert not np.isclose(prior[0], on_sphere(1, 1, 100)[0]).all()
