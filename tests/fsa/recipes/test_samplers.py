"""Episodes of a run: new ones for each seed to train on, the same for all seeds to validate on."""

import numpy as np
import pytest

from fsa.choices.splits import Splitter
from fsa.choices.synthetic import Synthetic
from fsa.errors import ConfigError
from fsa.recipes.samplers import samplers
from fsa.training.datamodule import EpisodeSettings

SETTINGS = EpisodeSettings(max_context=4, max_targets=3, context_sizes=(0, 2))


def drawn(seed: int):
    parted = Splitter(by="user", fractions=(0.5, 0.25, 0.25))(Synthetic(num_users=40).load())
    return [sampler.draw(np.arange(8)) for sampler in samplers(parted, SETTINGS, seed)]


def test_validation_is_the_same_for_every_seed_and_training_is_not():
    (train, validation), (other_train, other_validation) = drawn(1), drawn(2)
    assert np.array_equal(validation.target, other_validation.target)
    assert not np.array_equal(train.target, other_train.target)


def test_validation_has_contexts_of_the_largest_size_that_is_measured():
    train, validation = drawn(1)
    assert ((validation.context >= 0).sum(1) == 2).all()
    assert (train.context >= 0).sum(1).max() == 4


def test_a_split_without_choices_is_named():
    parted = Splitter(by="user", fractions=(1.0, 0.0, 0.0))(Synthetic(num_users=40).load())
    with pytest.raises(ConfigError, match="the validation split holds no choices"):
        samplers(parted, SETTINGS, 0)
