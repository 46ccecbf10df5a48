"""`Objective`: what training minimises."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from fsa.types import Belief, ChoiceBatch


@dataclass(frozen=True)
class LossParts:
    """A loss and what it is made of.

    Attributes:
        loss: The scalar to minimise: nats per target choice, mean over a user's targets, then over users.
        parts: Scalars to log, by name; detached.
    """

    loss: Float[Tensor, ""]
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(nn.Module, ABC):
    """Base of all objectives.

    Attributes:
        needs_posterior: Whether `given_all` must come from reading context and target together.
        needs_spread: Whether the encoder must give beliefs with a spread.
        needs_policy: Whether the scores must be those of a policy, how far it raises each response.
        counts_each: Whether targets count one by one, so that each may be averaged over the belief in its own
            way (`fsa.models.scorer.Scorer.predictive`); else all are scored at the same latents.
    """

    needs_posterior: ClassVar[bool] = False
    needs_spread: ClassVar[bool] = False
    needs_policy: ClassVar[bool] = False
    counts_each: ClassVar[bool] = False

    @abstractmethod
    def draw(
        self, given_context: Belief, given_all: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b z"]:
        """Latents to score the target with, made of standard normal noise."""

    def scorer_belief(self, given_context: Belief, given_all: Belief) -> Belief:
        """The belief that the scorer sees beside the latents in training: the one given the context."""
        return given_context

    @abstractmethod
    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        """The loss, from the log-probability of every target choice under every latent."""

    def with_scores(
        self, parts: LossParts, scores: Float[Tensor, "s b n k p"], target: ChoiceBatch
    ) -> LossParts:
        """The loss with what the scores themselves add to it: nothing, unless a member says so."""
        return parts


def mean_over_targets(values: Float[Tensor, "*s b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "*s b"]:
    """Mean of each user's target values, so that a user with many targets counts as one."""
    return torch.where(mask, values, 0).sum(-1) / mask.sum(-1).clamp(min=1)


def log1mexp(log_probs: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """log(1 - p) from log p, exact near p = 0 and p = 1; finite at p = 1."""
    below_one = log_probs.clamp(max=-torch.finfo(log_probs.dtype).tiny)
    is_large = below_one > -math.log(2)
    # Each form is given numbers that it can take, for the gradient of the form not used has to be finite too.
    near_one = torch.where(is_large, below_one, -math.log(2))
    near_zero = torch.where(is_large, -math.log(2), below_one)
    return torch.where(is_large, torch.log(-torch.expm1(near_one)), torch.log1p(-torch.exp(near_zero)))
