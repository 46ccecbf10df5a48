from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ConfigError
from fsa.models.language_scorer import LanguageScorer
from fsa.types import Belief, ChoiceBatch, TokenRows


class FirstToken(LanguageScorer):
    """Scores a row by its first token and its latent: no model is run."""

    def score_rows(self, block, z):
        return (block.ids[:, :1] + 100 * z[:, :1]).float()


def options(slot: list[int]) -> ChoiceBatch:
    """Two users with one choice of three options each; rows of tokens for some of them."""
    n = len(slot)
    ids, mask = torch.tensor(slot)[:, None], torch.ones(n, 1, dtype=torch.bool)
    tokens = TokenRows(ids, mask, mask, torch.tensor(slot), torch.zeros(n), ((0, 2, 1), (2, n, 1)))
    places = torch.tensor([[[0, 1, 1]], [[0, 1, -1]]])
    return ChoiceBatch(torch.zeros(2, 1, 3, 1), places, torch.zeros(2, 1).long(), tokens)


@pytest.fixture
def scorer(llama: Path) -> FirstToken:
    return FirstToken(1, 1, backbone=str(llama), conditioning=LoraGain(), rank=2)


def test_every_row_goes_to_its_slot_under_the_latent_of_its_user(scorer):
    z = torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])  # [s, b, z]
    found = scorer(options([3, 0, 4, 2, 1]), z, Belief.point(torch.zeros(2, 1)))
    assert_close(found[0].flatten(), torch.tensor([100.0, 101, 102, 203, 204, 0]))
    assert_close(found[1].flatten(), torch.tensor([300.0, 301, 302, 403, 404, 0]))


def test_choices_without_tokens_are_refused(scorer):
    bare = ChoiceBatch(torch.zeros(1, 1, 2, 1), torch.tensor([[[0, 1]]]), torch.zeros(1, 1).long())
    with pytest.raises(ConfigError, match="FirstToken reads tokens"):
        scorer(bare, torch.zeros(1, 1, 1), Belief.point(torch.zeros(1, 1)))
