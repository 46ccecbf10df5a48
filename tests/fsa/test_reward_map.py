import pytest
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


def test_the_network_reads_features_at_another_size_and_the_linear_map_does_not():
    reward_map, x, size = RewardMap(3, 2).eval(), torch.randn(5, 3), torch.tensor([1.0, 10.0, 0.5])
    assert "size" not in reward_map.state_dict()
    wanted = reward_map.wide(x) + reward_map.deep(x * size)
    reward_map.read_at(size)
    assert_close(reward_map(x), wanted)
    assert_close(reward_map.of_hidden(reward_map.hidden(x)), wanted)
    stored, other = reward_map.state_dict(), RewardMap(3, 2).eval()
    other.resize_buffers(stored)
    other.load_state_dict(stored)
    assert_close(other(x), wanted)
    other.resize_buffers({})
    assert other.size is None


def test_members_have_units_of_their_own():
    x = torch.randn(5, 3)
    together = RewardMap(3, 4, units=6, members=2, std=0.5).eval()
    for member in (0, 1):
        alone = RewardMap(3, 2, units=6).eval()
        rewards, units = slice(2 * member, 2 * member + 2), slice(6 * member, 6 * member + 6)
        alone.wide.weight.data = together.wide.weight.data[rewards]
        alone.deep[0].weight.data = together.deep[0].weight.data[units]
        alone.deep[0].bias.data = together.deep[0].bias.data[units]
        alone.deep[-1].weight.data = together.deep[-1].weight.data[rewards, units]
        assert_close(alone(x), together(x)[:, rewards])
    together(x).square().sum().backward()
    own = torch.block_diag(torch.ones(2, 6), torch.ones(2, 6)).bool()
    assert together.deep[-1].weight.grad[own].ne(0).all()
    assert together.deep[-1].weight.grad[~own].eq(0).all()
    assert together.deep[-1].weight[~own].eq(0).all()


@pytest.mark.parametrize("units", [0, 6])
def test_what_a_member_is_linear_in_gives_its_rewards(units: int):
    x, together = torch.randn(5, 3), RewardMap(3, 4, units=units, members=2, std=0.5).eval()
    each = together.by_member(together.hidden(x))
    assert each.shape == (5, 2, 3 + units)
    for member in (0, 1):
        rewards, own = slice(2 * member, 2 * member + 2), slice(units * member, units * member + units)
        weight = together.wide.weight[rewards]
        if units:
            weight = torch.cat([weight, together.deep[-1].weight[rewards, own]], -1)
        assert_close(each[:, member] @ weight.T, together(x)[:, rewards])


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_units_are_dropped_each_for_itself(share: float):
    """Each of the four numbers that are drawn at once, and no two together more often than by chance."""
    torch.manual_seed(0)
    dropout = RewardMap(3, 1, dropout=share).deep[2]
    units = dropout(torch.ones(100_000, 4))
    kept = units > 0
    assert_close(units[kept], torch.full_like(units[kept], 1 / (1 - share)), rtol=1e-4, atol=0)
    assert_close(kept.double().mean(0), torch.full((4,), 1 - share).double(), rtol=0, atol=0.006)
    together = torch.corrcoef(kept.double().T) - torch.eye(4)
    assert together.abs().max() < 0.015
    assert dropout(torch.ones(5, 3)).shape == (5, 3)  # which four do not divide


def test_nothing_is_dropped_where_nothing_is_learned_or_asked_for():
    x = torch.randn(5, 3)
    assert torch.equal(RewardMap(3, 1, dropout=0.5).eval().deep[2](x), x)
    assert torch.equal(RewardMap(3, 1, dropout=0.0).deep[2](x), x)
    assert RewardMap(3, 1, dropout=1.0).deep[2](x).eq(0).all()
