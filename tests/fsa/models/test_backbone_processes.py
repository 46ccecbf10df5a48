"""Two processes train a steered language model as one would: DDP, and FSDP2 with blocks of its own."""

import os
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close
from transformers import LlamaConfig, LlamaForCausalLM

from fsa.conditioning.film_blocks import FilmBlocks
from fsa.conditioning.lora_gain import LoraGain
from fsa.models.backbone import LanguageModel
from fsa.training.sharding import shard
from tests.factories.torchrun import both

CASES = {
    "gain": {"conditioning": LoraGain},
    "film": {"conditioning": FilmBlocks},
    "checkpointing": {"conditioning": LoraGain, "gradient_checkpointing": True},
    "bfloat16": {"conditioning": LoraGain, "dtype": "bfloat16"},
}
OPTIONS = StateDictOptions(full_state_dict=True)  # on every process


class Part(nn.Module):
    """A scorer in small: two runs of the language model a step, each with its own rows and gains."""

    def __init__(self, folder: str, conditioning: type, **options) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.encoder = nn.Linear(3, 3)
        self.language_model = LanguageModel(folder, 3, conditioning(), rank=2, **options)
        for name, parameter in self.named_parameters():
            if "lora_B" in name or "conditioning" in name:
                nn.init.normal_(parameter, std=0.05)  # larger makes float32's own error larger

    def forward(self, ids: torch.Tensor, who: torch.Tensor) -> torch.Tensor:
        losses = []
        for first in (0, len(ids) // 2):
            rows = slice(first, first + len(ids) // 2)
            mask = ids[rows] > 0
            hidden = self.language_model.hidden(ids[rows], mask, self.encoder(who[rows]))
            logits = hidden.float() @ self.language_model.head.float().T
            scores = logits.log_softmax(-1).take_along_dim(ids[rows].roll(-1, 1).unsqueeze(-1), -1)
            losses.append((scores.squeeze(-1) * mask).sum(1))
        return -torch.cat(losses).mean() / 10


def train(folder: str, case: str, strategy: str = "one") -> dict[str, torch.Tensor]:
    """Weights after four steps on eight rows; in two processes each takes every other row."""
    part = Part(folder, **CASES[case]).train()
    generator = torch.Generator().manual_seed(0)
    ids, who = torch.randint(4, 60, (8, 6), generator=generator), torch.randn(8, 3, generator=generator)
    ids[1:5, 4:] = 0
    run: nn.Module = part
    if strategy == "ddp":
        run = DistributedDataParallel(part)
    elif strategy == "fsdp":
        shard(part, init_device_mesh("cpu", (2,)))
        assert any(isinstance(each, DTensor) for each in part.parameters())
        assert all(isinstance(block, FSDPModule) for block in part.language_model.shard_units())
    mine = slice(None) if strategy == "one" else slice(int(os.environ["RANK"]), None, 2)
    optimizer = torch.optim.SGD([p for p in part.parameters() if p.requires_grad], lr=0.1)
    for _ in range(4):
        run(ids[mine], who[mine]).backward()
        optimizer.step()
        optimizer.zero_grad()
    state = get_model_state_dict(part, options=OPTIONS)
    if strategy == "fsdp":  # what was saved whole loads strictly into what is split
        set_model_state_dict(part, {name: value + 1 for name, value in state.items()}, options=OPTIONS)
        back = get_model_state_dict(part, options=OPTIONS)
        assert_close(back, {name: value + 1 for name, value in state.items()})
    return dict(state)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_backbone(tmp_path_factory.mktemp("backbone"))


def save_backbone(folder: Path) -> str:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def of_two(folder: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, torch.Tensor]]:
    """Weights after the same steps in two processes on gloo, by strategy and case."""
    out = tmp_path_factory.mktemp("two")
    both(partial(in_each, folder), out)
    return torch.load(out / "weights.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("case", CASES)
def test_two_processes_take_the_steps_of_one(of_two: dict, folder: str, strategy: str, case: str):
    one = train(folder, case)
    # A row's bfloat16 numbers vary with its batch in the third digit.
    assert_close(of_two[f"{strategy} {case}"], one, atol=5e-3 if case == "bfloat16" else 1e-5, rtol=0)
    start = Part(folder, **CASES[case]).state_dict()
    assert all((one[name] - start[name]).abs().max() > 1e-4 for name in one)


def in_each(backbone: str, out: Path) -> None:
    """What each of two processes does."""
    torch.distributed.init_process_group("gloo")
    weights = {f"{how} {case}": train(backbone, case, how) for how in ("ddp", "fsdp") for case in CASES}
    if os.environ["RANK"] == "0":
        torch.save(weights, out / "weights.pt")
    torch.distributed.destroy_process_group()
