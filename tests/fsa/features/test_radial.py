"""Numbers as bumps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fsa.errors import FeatureError
from fsa.features.radial import Radial

# A small one, for the family's contract.
EXAMPLES = {"Radial": lambda backbones: Radial(5)}


def test_a_bump_is_one_at_its_centre_and_falls_by_a_normal_curve() -> None:
    # Centres 0, 1/2, 1; one distance away: exp(-1/2), two: exp(-2).
    near, far = np.exp(-0.5), np.exp(-2)
    found = Radial(bumps=3).extract(["", ""], [(0.5,), (1.0,)])
    assert_allclose(found, [[near, 1, near], [far, near, 1]], rtol=1e-6)


def test_numbers_of_an_option_stand_one_after_the_other() -> None:
    features = Radial(bumps=4, width=2)
    both = features.extract([""], [(0.25, 0.75)])
    one = Radial(bumps=4).extract(["", ""], [(0.25,), (0.75,)])
    assert features.width == 8
    assert_allclose(both.reshape(2, 4), one)


def test_both_tastes_of_the_synthetic_people_are_linear_in_them() -> None:
    x = np.linspace(0, 1, 400)
    bumps = np.concatenate([Radial().extract([""] * 400, [(v,) for v in x]), np.ones((400, 1))], 1)
    for taste in (x, -np.abs(x - 0.5)):
        weights = np.linalg.lstsq(bumps, taste, rcond=None)[0]
        assert np.abs(bumps @ weights - taste).max() < 0.02


def test_one_bump_is_too_few() -> None:
    with pytest.raises(FeatureError, match="2 or more"):
        Radial(bumps=1)
