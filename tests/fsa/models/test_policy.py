import pytest
import torch
from torch.testing import assert_close

from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ConfigError, ShapeError
from fsa.models.policy import PolicyScorer, implicit_rewards


def test_a_policy_prefers_by_as_much_as_it_raises_the_log_probability():
    found = implicit_rewards(torch.tensor([-2.0, -5.0]), torch.tensor([-3.0, -4.0]), beta=0.1)
    assert_close(found, torch.tensor([[0.1], [-0.1]]))


def test_log_probabilities_of_other_responses_are_refused():
    with pytest.raises(ShapeError, match="log_probs are of"):
        implicit_rewards(torch.zeros(2), torch.zeros(3), beta=0.1)


def test_beta_is_above_zero():
    with pytest.raises(ConfigError, match="beta is 0"):
        PolicyScorer(1, 1, beta=0, backbone="nowhere", conditioning=LoraGain())
