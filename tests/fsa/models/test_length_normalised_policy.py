import torch
from torch.testing import assert_close

from fsa.conditioning.lora_gain import LoraGain
from fsa.models.length_normalised_policy import LengthNormalisedPolicy
from fsa.models.policy import PolicyScorer
from fsa.types import TokenRows
from tests.factories.byte_llama import save_byte_llama


def test_rewards_are_those_of_the_policy_a_token(tmp_path):
    folder = str(save_byte_llama(tmp_path))
    torch.manual_seed(0)
    whole, mean = (
        kind(1, 3, backbone=folder, conditioning=LoraGain(), rank=2)
        for kind in (PolicyScorer, LengthNormalisedPolicy)
    )
    mean.load_state_dict(whole.state_dict())
    ids, mask = (
        torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 0, 0]]),
        torch.tensor([[1] * 5, [1, 1, 1, 0, 0]]).bool(),
    )
    is_response = mask & (torch.arange(5) >= 1)  # four tokens, and two
    block = TokenRows(ids, mask, is_response, torch.arange(2), torch.zeros(2), ((0, 2, 5),))
    z = torch.randn(2, 3)
    assert_close(mean.score_rows(block, z) * torch.tensor([[4.0], [2.0]]), whole.score_rows(block, z))
