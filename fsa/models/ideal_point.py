"""`IdealPoint`: PAL, a user likes what lies near a point of their own among a few learned ones."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.models.mixture import Mixture


class IdealPoint(Mixture):
    """Reward -|f(x) - a|^2, where a = sum_k w_k p_k lies among K prototypes p that all users share.

    f is a learned map of an option's features, w on the simplex the user's own. Trained and solved for as
    `Mixture` says, with `fsa.encoders.verbatim.Verbatim`. Since the weights sum to 1, the reward is linear
    in them but for the same number for all of a user's options,

        -|f - a|^2 = sum_k w_k (2 f . p_k - |f|^2) - |a|^2,

    so that solving for them is as convex as in LoRe. One prototype gives all users the same reward.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not read; the user is w.
        num_prototypes: K.
        width: Dimensions of the space that options and points lie in.
        mixture: Arguments of `Mixture`: `hidden` (none makes f linear), `dropout`, `kl_weight`, `steps`.

    Reference:
        [Chen2024] PAL, arXiv 2406.08469, Sec. 3, model A: ideal points as convex combinations of prototypes;
        a new user's weights with f and prototypes held.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        num_prototypes: int = 8,
        width: int = 16,
        **mixture: Any,
    ) -> None:
        super().__init__(d_feature, **mixture)
        self.place = nn.Linear(self.d_embedded, width, bias=False)
        self.prototypes = nn.Parameter(torch.randn(num_prototypes, width))

    def parts(self, embedded: Float[Tensor, "*rows h"]) -> Float[Tensor, "*rows r"]:
        placed = self.place(embedded)
        return 2 * placed @ self.prototypes.T - placed.square().sum(-1, keepdim=True)

    def reward(
        self, embedded: Float[Tensor, "b n k h"], weights: Float[Tensor, "b r"]
    ) -> Float[Tensor, "b n k"]:
        ideal = (weights @ self.prototypes)[:, None, None]  # [b, 1, 1, width]
        return -(self.place(embedded) - ideal).square().sum(-1)
