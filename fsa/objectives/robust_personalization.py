"""`RobustPersonalization`: negative log-likelihood that weighs users by how badly they are predicted."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ConfigError
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.objective import LossParts, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class RobustPersonalization(NegativeLogLikelihood):
    """Mean over users of their negative log-likelihoods, those who are predicted badly weighing most.

    A user's weight is 2 sigmoid((loss - bar) / gamma), taken as a constant. The paper's bar is a quantile of
    the batch, so that a loss depends on the company; here it is a number, an even coin's loss by default, so
    that processes and parts of a batch add up.

    Args:
        bar: Nats a choice above which a user is hard to learn, >= 0.
        gamma: Nats over which weights go from low to high, > 0; larger weighs users more evenly.

    Raises:
        ConfigError: Either is outside that.

    Reference:
        [Cai2026] MRM, arXiv 2601.18731: the robust personalization objective.
    """

    counts_each = False

    def __init__(self, bar: float = math.log(2), gamma: float = 0.5) -> None:
        super().__init__()
        if bar < 0 or gamma <= 0:
            raise ConfigError(f"bar is {bar} and gamma {gamma}; allowed are >= 0 and above 0")
        self.bar, self.gamma = bar, gamma

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        predictive = log_probs.logsumexp(0) - math.log(len(log_probs))
        of_users = -mean_over_targets(predictive, target.mask)  # [b]
        seen = of_users.detach()
        weight = 2 * torch.sigmoid((seen - self.bar) / self.gamma)
        return LossParts((weight * of_users).mean(), {"nll": seen.mean()})
