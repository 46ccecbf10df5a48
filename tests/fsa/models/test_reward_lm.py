from pathlib import Path

import torch
from torch.testing import assert_close

from fsa.conditioning.lora_gain import LoraGain
from fsa.models.reward_lm import RewardLM
from fsa.types import TokenRows


def rows(lengths: list[int], wide: int) -> TokenRows:
    """Tokens 4, 5, 6, ... padded with zeros on the right."""
    ids = torch.zeros(len(lengths), wide, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.arange(4, 4 + length)
    mask = torch.arange(wide) < torch.tensor(lengths)[:, None]
    reference = torch.full((len(lengths),), torch.nan)
    return TokenRows(ids, mask, mask, torch.arange(len(lengths)), reference, ((0, len(lengths), wide),))


def test_the_reward_is_of_the_last_token_whatever_the_padding(llama: Path):
    scorer = RewardLM(1, 3, num_params=2, backbone=str(llama), conditioning=LoraGain(), rank=2).eval()
    with torch.no_grad():
        short, long = scorer.score_rows(rows([5, 7], 7), torch.zeros(2, 3))
        assert short.shape == (2,)
        assert_close(scorer.score_rows(rows([5], 5), torch.zeros(1, 3))[0], short, atol=1e-5, rtol=0)
        assert (short - long).abs().max() > 1e-4
