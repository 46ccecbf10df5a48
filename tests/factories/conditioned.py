"""Language models steered by a belief, and rows to run them on."""

from pathlib import Path

import torch
from torch import nn

from fsa.conditioning.conditioning import Conditioning
from fsa.models.backbone import LanguageModel

D_BELIEF = 4


def make(member: type[Conditioning], folder: Path, trained: bool = True, **options) -> LanguageModel:
    """A model with its adapters and heads at random, or as it is before training."""
    torch.manual_seed(1)
    model = LanguageModel(str(folder), D_BELIEF, member(), rank=3, **options).train()
    for name, parameter in model.named_parameters():
        if trained and ("lora_B" in name or "conditioning" in name):
            nn.init.normal_(parameter, std=0.3)
    return model


def rows(count: int = 4, length: int = 9, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, their mask with padding on the right, and a z for each row."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, 70, (count, length), generator=generator)
    lengths = torch.arange(count) % 3 + length - 2
    mask = torch.arange(length) < lengths.unsqueeze(1)
    return ids, mask, torch.randn(count, D_BELIEF, generator=generator)


def probe(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Some number that every hidden state of a token has a say in."""
    weights = torch.linspace(-1, 1, hidden.shape[-1])
    return (hidden[mask] @ weights).sin().sum()


def grads(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
