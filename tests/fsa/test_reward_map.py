import torch
from torch.testing import assert_close

from fsa.reward_map import RewardMap


def test_it_is_linear_without_units():
    reward_map, x, y = RewardMap(3, 2, units=0, std=1.0), torch.randn(5, 3), torch.randn(5, 3)
    assert_close(reward_map(2 * x - y), 2 * reward_map(x) - reward_map(y))


def test_the_linear_map_starts_at_zero_or_at_its_size():
    assert RewardMap(3, 2, std=0.0).wide.weight.eq(0).all()
    torch.manual_seed(0)
    weight = RewardMap(400, 100, std=0.5).wide.weight
    assert abs(float(weight.std()) - 0.5 / 20) < 1e-3


def test_biases_are_free():
    reward_map = RewardMap(2, 1, units=3)
    for parameter in reward_map.parameters():
        parameter.data.fill_(0.0 if parameter.ndim > 1 else 7.0)
    assert reward_map.prior() == 0
    reward_map.wide.weight.data = torch.tensor([[1.0, 3.0]])
    assert reward_map.prior() == 5  # (1 + 9) / 2
