"""`MetaReward`: MRM, a mixture of learned rewards whose start is learned for a few gradient steps."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.reward_map import RewardMap, rewards_by
from fsa.types import Belief, ChoiceBatch


class MetaReward(Scorer):
    """Reward w . V(x) of an option's features x: V shared by all, w a user's own.

    Each user's weights w start where all do and take a few gradient steps on the user's choices, at a learned
    rate. Training follows these steps, so that start, rate and V are learned for what comes after them. A
    person without choices has the start. A choice among more than two, a ranking and a tie count as the one
    difference of rewards, better less worse, of `ChoiceBatch.contrast`. Read choices with
    `fsa.encoders.verbatim.Verbatim`, and train with
    `fsa.objectives.robust_personalization.RobustPersonalization`.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not used; a belief's memory is read.
        rank: Rewards in the basis V.
        units: Hidden units of V; 0 makes it linear.
        dropout: Share of hidden units dropped in training, 0-1.
        steps: Gradient steps, >= 1.
        rate: Size of a step at the start, > 0.

    Raises:
        ConfigError: `rank` or `steps` is below 1, or `rate` is not above 0.

    Reference:
        [Cai2026] MRM, arXiv 2601.18731: base rewards, learned start of the weights, inner and outer loop.
        [Finn2017] MAML: the gradient through gradient steps. The learned rate is [Li2017]'s, one for all.
    """

    reads_memory: ClassVar[bool] = True

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        rank: int = 8,
        units: int = 0,
        dropout: float = 0.1,
        steps: int = 3,
        rate: float = 1.0,
    ) -> None:
        super().__init__()
        if min(rank, steps) < 1 or rate <= 0:
            raise ConfigError(f"rank is {rank}, steps {steps} and rate {rate}; allowed are >= 1, >= 1, > 0")
        self.steps = steps
        self.basis = RewardMap(d_feature, rank, units, dropout, std=1.0)
        self.start = nn.Parameter(torch.full((rank,), 1 / rank))
        self.log_rate = nn.Parameter(torch.tensor(rate).log())

    def weights(self, belief: Belief) -> Float[Tensor, "b r"]:
        """Each user's weights after the steps on the choices that the belief keeps."""
        memory = self.remembered(belief)
        rewards = rewards_by([self.basis], memory)[0]  # [b, n, k, r]
        gap = torch.einsum("bnkr,bnk->bnr", rewards, memory.contrast())
        known = memory.mask.to(gap.dtype)
        share = self.log_rate.exp() / known.sum(-1, keepdim=True).clamp(min=1)
        weights = self.start.expand(len(gap), -1)
        for _ in range(self.steps):
            # Minus the gradient of -log sigmoid(w . gap), at w, is sigmoid(-w . gap) gap.
            surprise = torch.sigmoid(-torch.einsum("bnr,br->bn", gap, weights)) * known
            weights = weights + share * torch.einsum("bn,bnr->br", surprise, gap)
        return weights

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k 1"]:
        reward = torch.einsum("bnkr,br->bnk", self.basis.of(choices), self.weights(belief))
        return reward.unsqueeze(-1).expand(len(z), *reward.shape, 1)
