"""What a cell keeps of people, from a model with random weights."""

import numpy as np
import pytest

from eval.suite.cells import open_arrays, save_arrays
from eval.suite.people import people_of, principal_axes
from fsa.recipes.measuring.runs import Data, Settings
from tests.factories.reward_models import BILINEAR, part, small_model

CONFIG = {
    "source": {"class_path": "fsa.choices.synthetic.Synthetic", "init_args": {"num_users": 60}},
    "splits": {"class_path": "fsa.choices.splits.Splitter", "init_args": {"by": "record"}},
}


@pytest.fixture(scope="module")
def at() -> Data:
    return Data.of(CONFIG, Settings([0, 3, 5], "test", episodes=20, max_targets=2, seed=1))


def model_of_numbers():
    plain = {"num_components": None, "extras": []}
    model = small_model(scorer=BILINEAR)
    config = model.config | {"d_feature": 1, "features": part("features.numeric.Numeric", width=1)}
    projection = model.projection.__class__(**plain).fit(np.ones((3, 1)), [(0.0,)] * 3)
    return model.__class__(config, projection)


def test_beliefs_are_kept_on_two_axes_with_the_groups_of_people(at):
    found = people_of(model_of_numbers(), at)
    assert found["axes"].shape == (20, 2)
    assert set(found["group"]) == {"larger", "central"}


def test_rewards_of_single_numbers_are_kept_by_choices_seen(at):
    found = people_of(model_of_numbers(), at)
    assert found["rewards"].shape == (4, 8, 101)
    before, after = found["rewards"][[0, 2]]
    np.testing.assert_allclose(before, before[:1].repeat(8, 0))  # nobody has said anything yet
    assert np.abs(after - after[:1]).max() > 0
    assert len(found["kind"]) == 8


def test_what_was_kept_comes_back(at, tmp_path):
    found = people_of(model_of_numbers(), at)
    save_arrays(tmp_path / "people.npz", found)
    stored = open_arrays(tmp_path / "people.npz")
    assert stored.keys() == found.keys()
    assert all((stored[name] == found[name]).all() for name in found)


def test_principal_axes_find_the_plane():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(200, 2)) * [5, 1]
    basis = np.linalg.qr(rng.normal(size=(4, 2)))[0]
    found = principal_axes(plane @ basis.T + 3)
    centred = plane - plane.mean(0)
    # Distances in the plane are kept, whatever the axes are called.
    np.testing.assert_allclose((found**2).sum(1), (centred**2).sum(1))
    assert found.var(0)[0] > found.var(0)[1]
