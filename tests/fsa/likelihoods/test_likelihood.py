import math

import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ShapeError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.likelihood import masked, rewards_of


def test_the_one_score_of_an_option_is_its_reward_in_single_precision_or_better():
    assert rewards_of(torch.zeros(2, 3, 1, dtype=torch.float16)).dtype == torch.float32
    assert rewards_of(torch.zeros(2, 3, 1, dtype=torch.float64)).shape == (2, 3)
    with pytest.raises(ShapeError, match="takes one score per option, the scorer gives 2"):
        rewards_of(torch.zeros(2, 3, 2))


def test_options_that_are_not_there_get_no_probability_and_no_nan():
    rewards = masked(torch.zeros(2, 3), torch.tensor([[True, True, False], [False] * 3]))
    assert_close(rewards[0].softmax(-1), torch.tensor([0.5, 0.5, 0.0]))
    assert not rewards.log_softmax(-1).isnan().any()


def test_a_choice_has_as_many_outcomes_as_options():
    places = torch.tensor([[0, 1, 1], [1, 0, -1], [-1, -1, -1]])
    found = BradleyTerryLuce().log_num_outcomes(places)
    assert_close(found, torch.tensor([math.log(3), math.log(2), 0.0]))
