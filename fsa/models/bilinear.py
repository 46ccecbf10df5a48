"""`Bilinear`: one belief is one direction of reward."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.models.scorer import Scorer
from fsa.types import Belief, ChoiceBatch


class Bilinear(Scorer):
    """Reward z . A h + b . h of an option's features h: linear in the belief and linear in the option.

    The population's reward is b, what sets this user apart z . A. Flexible heads memorise a few hundred
    prompts; this one cannot. With hidden layers h is a learned map of the features, shared by all users.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        hidden: Widths of the layers of the learned map; none keeps the features.
        dropout: Share of feature dimensions dropped in training, 0-1.
        num_params: Scores per option, as many as the likelihood's; each has its own b and its own z . A.

    Reference:
        [Kobalczyk2024] Eq. 4: a Bradley-Terry-Luce reward conditioned on z; bilinear is our choice of form.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        hidden: list[int] | None = None,
        dropout: float = 0.3,
        num_params: int = 1,
    ) -> None:
        super().__init__()
        widths = [d_feature, *(hidden or [])]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.SiLU()]
        self.embed = nn.Sequential(*layers, nn.Dropout(dropout))
        self.taste = nn.Linear(widths[-1], num_params * d_belief, bias=False)
        self.common = nn.Linear(widths[-1], num_params, bias=False)
        nn.init.zeros_(self.common.weight)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        embedded = self.embed(choices.features)  # [b, n, k, h]
        taste = self.taste(embedded).unflatten(-1, (-1, z.shape[-1]))  # [b, n, k, p, z]
        return torch.einsum("bnkpz,sbz->sbnkp", taste, z) + self.common(embedded)
