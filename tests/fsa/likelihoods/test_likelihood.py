import math

import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ShapeError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.davidson import Davidson
from fsa.likelihoods.likelihood import masked, picked, rewards_of
from fsa.likelihoods.mean_variance import MeanVariance
from fsa.predictive import Predictive


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


def test_picks_are_averaged_over_the_belief_and_not_of_the_average():
    """Odds of 3 to 1 at one place, which weighs 0.8, and of 1 to 3 at the other; the third is not there."""
    scores = torch.tensor([[3.0, 1.0, 9.0], [1.0, 3.0, 9.0]]).log().view(2, 1, 1, 3, 1)
    predictive = Predictive(scores, torch.tensor([0.8, 0.2]).log().view(2, 1, 1))
    chances = picked(BradleyTerryLuce(), predictive, torch.tensor([[[True, True, False]]]))
    assert_close(chances, torch.tensor([[[0.8 * 0.75 + 0.2 * 0.25, 0.8 * 0.25 + 0.2 * 0.75, 0.0]]]))


def test_picks_sum_to_one_where_a_tie_was_possible():
    # Between equal options a tie of weight 2 takes half; of the picks each is a half.
    chances = picked(Davidson(nu=2.0), Predictive(torch.zeros(1, 1, 1, 2, 1)), torch.ones(1, 1, 2).bool())
    assert_close(chances, torch.full((1, 1, 2), 0.5))


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_a_likelihood_of_pairs_gives_picks_among_any_number_in_any_company(width):
    """A user of a pair and one of `width` options: the pair is judged as a pair, more by first scores."""
    scores = torch.randn(4, 2, 1, max(width, 2), 2, generator=torch.Generator().manual_seed(0))
    here = torch.arange(max(width, 2)) < torch.tensor([2, width]).view(2, 1, 1)
    likelihood, predictive = MeanVariance(), Predictive(scores)
    pair, others = picked(likelihood, predictive, here)[:, 0]
    assert_close(pair[:2], likelihood.best(scores[:, 0, 0, :2], torch.ones(4, 2).bool()).mean(0))
    assert_close(torch.stack([pair.sum(), others.sum()]), torch.ones(2))
    assert (others[width:] == 0).all()
    if width > 2:
        assert_close(others, scores[:, 1, 0, :, 0].softmax(-1).mean(0))


def test_of_one_option_everybody_picks_it():
    chances = picked(MeanVariance(), Predictive(torch.zeros(2, 1, 1, 1, 2)), torch.ones(1, 1, 1).bool())
    assert chances.tolist() == [[[1.0]]]
