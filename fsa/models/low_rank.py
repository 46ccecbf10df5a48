"""`LowRankReward`: LoRe, a user's reward is a mixture of a few learned rewards."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.models.mixture import Mixture


class LowRankReward(Mixture):
    """Reward w . V h of an option's features h, with V shared by all and w on the simplex the user's own.

    Trained and solved for as `Mixture` says, with `fsa.encoders.verbatim.Verbatim`. Rank 1 leaves w no
    choice: pooled Bradley-Terry-Luce.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not read; the user is w.
        rank: Rewards in the basis V.
        mixture: Arguments of `Mixture`: `hidden`, `dropout`, `kl_weight`, `steps`.

    Reference:
        [Bose2025] LoRe, arXiv 2504.14439, Sec. 3: the low-rank reward and its joint likelihood; Sec. 3.2: a
        new user's weights with the basis held.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        rank: int = 8,
        **mixture: Any,
    ) -> None:
        super().__init__(d_feature, **mixture)
        self.basis = nn.Linear(self.d_embedded, rank, bias=False)

    def parts(self, embedded: Float[Tensor, "*rows h"]) -> Float[Tensor, "*rows r"]:
        each: Tensor = self.basis(embedded)
        return each

    def reward(
        self, embedded: Float[Tensor, "b n k h"], weights: Float[Tensor, "b r"]
    ) -> Float[Tensor, "b n k"]:
        return torch.einsum("bnkr,br->bnk", self.parts(embedded), weights)
