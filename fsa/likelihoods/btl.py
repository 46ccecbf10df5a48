"""`BradleyTerryLuce`: the pick among k options goes by a softmax of rewards."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from fsa.likelihoods.likelihood import ChoiceLikelihood, masked, rewards_of


class BradleyTerryLuce(ChoiceLikelihood):
    """A pick among k options; a gap of 1 nat between two rewards means odds of e to 1.

    Reference:
        [Kobalczyk2024] Eq. 1; [Luce1959] for k > 2, [BradleyTerry1952] for pairs.

    Example:
        >>> likelihood = BradleyTerryLuce()
        >>> likelihood.log_prob(torch.zeros(1, 2, 1), torch.tensor([[0, 1]])).exp()
        tensor([0.5000])
    """

    def log_prob(
        self, scores: Float[Tensor, "*rows k 1"], places: Int[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows"]:
        rewards, is_best = masked(rewards_of(scores), places >= 0), places == 0
        if rewards.shape[-1] == 2:  # the usual case, in half the time
            difference = rewards[..., 0] - rewards[..., 1]
            log_best = functional.logsigmoid(torch.where(is_best[..., 0], difference, -difference))
            picked = torch.where(is_best.any(-1), log_best, 0)
        else:
            picked = torch.where(is_best, rewards.log_softmax(-1), 0).sum(-1)
        return torch.where(is_best.sum(-1) > 1, -torch.inf, picked)  # ties have probability 0

    def best(
        self, scores: Float[Tensor, "*rows k 1"], option_mask: Bool[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows k"]:
        rewards = masked(rewards_of(scores), option_mask)
        if rewards.shape[-1] == 2:  # the usual case, in a third of the time
            difference = rewards[..., 0] - rewards[..., 1]
            best = torch.stack([difference.sigmoid(), (-difference).sigmoid()], -1)
        else:
            best = rewards.softmax(-1)
        return torch.where(option_mask, best, 0)
