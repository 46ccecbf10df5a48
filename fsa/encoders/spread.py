"""`EvidenceSpread`: how unsure a belief still is, given what was seen."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


class EvidenceSpread(nn.Module):
    """Std of a belief that starts at 1 and shrinks with every choice, as that of a normal with known noise.

    Precision is 1 plus what each choice adds, so no user's is below that of the empty set. What it reads has
    to be even in the choice, the same for its opposite: how much a choice says does not depend on which way
    it went.

    Args:
        width: Dimensions of what is read of each choice.
        d_belief: Width of the belief.
        rate: Precision that a choice adds at the start, > 0.
    """

    def __init__(self, width: int, d_belief: int, rate: float = 0.2) -> None:
        super().__init__()
        self.added = nn.Linear(width, d_belief)
        nn.init.constant_(self.added.bias, math.log(math.expm1(rate)))  # softplus of it is `rate`

    def forward(self, even: Float[Tensor, "b n h"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b z"]:
        added = functional.softplus(self.added(even))
        return (1 + torch.where(mask.unsqueeze(-1), added, 0).sum(1)).rsqrt()
