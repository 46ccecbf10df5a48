"""Scale and shift of the residual stream: by hand, on the blocks that were asked for."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

from fsa.conditioning.film_blocks import FilmBlocks
from fsa.errors import ConfigError
from fsa.models.backbone import LanguageModel


def steered(llama: Path, blocks: list[int] | None) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(str(llama), 3, FilmBlocks(blocks), rank=2)
    nn.init.normal_(model.conditioning.head.weight, std=0.3)
    return model


def test_a_block_gives_scaled_and_shifted_states(llama: Path):
    model, z = steered(llama, [0]), torch.randn(2, 3)
    ids = torch.randint(4, 60, (2, 5))
    seen = []
    model.backbone.get_base_model().model.layers[1].register_forward_pre_hook(
        lambda _, args: seen.append(args[0])
    )
    model.hidden(ids, torch.ones_like(ids, dtype=torch.bool), z)
    plain = AutoModelForCausalLM.from_pretrained(llama)(ids, output_hidden_states=True).hidden_states[1]
    scale, shift = (z @ model.conditioning.head.weight.T).chunk(2, 1)  # adapters do nothing before training
    assert_close(seen[0], plain * (1 + scale[:, None]) + shift[:, None], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("blocks", "numbers"), [(None, [0, 1]), ([0], [0]), ([-1], [1]), ([1, 0], [1, 0]), ([-1, 0], [1, 0])]
)
def test_blocks_are_counted_from_either_end(llama: Path, blocks: list[int] | None, numbers: list[int]):
    names = steered(llama, blocks).conditioning.layers
    assert names == [f"base_model.model.model.layers.{number}" for number in numbers]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [([2], "block 2 is not there: there are 2"), ([-3], "block -3"), ([1, -1], "twice")],
)
def test_a_block_that_is_not_there_or_comes_twice_is_refused(llama: Path, blocks: list[int], message: str):
    with pytest.raises(ConfigError, match=message):
        LanguageModel(str(llama), 3, FilmBlocks(blocks))


def test_an_empty_list_of_blocks_is_refused():
    with pytest.raises(ConfigError, match="blocks is empty"):
        FilmBlocks([])


def test_it_says_that_it_cannot_be_folded():
    assert not FilmBlocks().can_fold


def test_a_model_without_blocks_is_refused(llama: Path):
    model = AutoModelForCausalLM.from_pretrained(llama)
    model.config.num_hidden_layers = 5
    with pytest.raises(ConfigError, match="LlamaForCausalLM has no list of 5 decoder blocks"):
        FilmBlocks().attach(model, 3)
