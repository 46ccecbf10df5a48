"""`RandomPair`: any pair, what asking has to beat."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition


class RandomPair(Acquisition):
    """Every pair with the same probability.

    Args:
        seed: The same seed takes the same pair among as many pairs.
    """

    in_nats: ClassVar[bool] = False

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        generator = torch.Generator().manual_seed(self.seed)
        return torch.rand(first.shape[1], generator=generator, dtype=first.dtype)

    def why(self, worth: float, chance: float) -> str:
        return f"taken at random; the first option is picked with a probability of {chance:.0%}"
