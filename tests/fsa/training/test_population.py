import torch
from torch.testing import assert_close

from fsa.reward_map import RewardMap
from fsa.training.population import PopulationReward
from fsa.types import Belief, ChoiceBatch


def test_it_is_the_map_under_any_belief_and_trains_it_in_place():
    reward_map = RewardMap(3, 1).eval()
    scorer = PopulationReward(reward_map, precision=2.0)
    choices = ChoiceBatch(torch.randn(2, 4, 2, 3), torch.zeros(2, 4, 2).long(), torch.ones(2, 4).long())
    z = torch.randn(5, 2, 1)
    scores = scorer(choices, z, Belief.point(z[0]))
    assert_close(scores, reward_map(choices.features).expand(5, 2, 4, 2, 1))
    assert_close(scorer.prior(), 2 * reward_map.prior())
    assert {id(p) for p in scorer.parameters()} == {id(p) for p in reward_map.parameters()}
