"""`ContextEncoder`: reads a user's choices into a belief about the user."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.types import Belief, ChoiceBatch


class ContextEncoder(nn.Module, ABC):
    """Base of all encoders; a member takes `d_feature` and `d_belief` first, then its own arguments.

    The order of choices and what stands in padding make no difference, and no choice at all is a legal
    context: an unknown person.

    Attributes:
        has_spread: Whether beliefs are Gaussian with a spread, which the ELBO needs; else they are points.
        has_learned_prior: Whether the belief of an empty context is learned; else it is zero, with a spread
            of one where beliefs have a spread.
        reads_weight: Whether choices count as much as `ChoiceBatch.weight` says; else all count alike.
    """

    has_spread: bool = False
    has_learned_prior: ClassVar[bool] = False
    reads_weight: ClassVar[bool] = False

    @abstractmethod
    def forward(self, choices: ChoiceBatch) -> Belief:
        """Belief about each user, [b z], from their choices [b n]."""

    def prior(self) -> Float[Tensor, ""] | float:
        """Minus the log-density of the weights under a prior, in nats; 0 for encoders without one."""
        return 0.0


def better_and_worse(choices: ChoiceBatch) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "b n d"]]:
    """Features of what was preferred and of what it was preferred to, each a weighted mean over the options.

    The weights are those of `ChoiceBatch.contrast`; zeros for padding and complete ties.
    """
    features = torch.where(choices.option_mask.unsqueeze(-1), choices.features, 0)
    weight = choices.contrast().unsqueeze(-1)
    return (features * weight.clamp(min=0)).sum(2), (features * -weight.clamp(max=0)).sum(2)
