import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.deep_set import DeepSet
from fsa.encoders.joined import Joined
from fsa.encoders.logistic_posterior import LogisticPosterior
from fsa.types import ChoiceBatch


def test_a_joined_belief_is_its_members_side_by_side():
    torch.manual_seed(0)
    encoder = Joined(3, 5, members=[DeepSet, LogisticPosterior]).eval()
    choices = ChoiceBatch(
        torch.randn(2, 4, 2, 3), torch.tensor([[[0, 1]] * 4] * 2), torch.arange(8).reshape(2, 4)
    )
    belief = encoder(choices)
    first, second = (member(choices) for member in encoder.members)
    assert (first.mean.shape[1], second.mean.shape[1]) == (3, 2)
    assert_close(belief.mean, torch.cat([first.mean, second.mean], -1))
    assert not encoder.has_spread


def test_members_agree_about_spread_and_have_room():
    with pytest.raises(ValueError, match="set spread alike"):
        Joined(3, 4, members=[DeepSet, lambda d, z: LogisticPosterior(d, z, spread=True)])
    with pytest.raises(ValueError, match="2 members share a belief of width 1"):
        Joined(3, 1, members=[DeepSet, LogisticPosterior])
