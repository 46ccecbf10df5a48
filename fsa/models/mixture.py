"""`Mixture`: scorers whose users are mixtures of what all users share, fitted on their choices."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.solvers.simplex import fit_on_simplex
from fsa.types import Belief, ChoiceBatch


class Mixture(Scorer):
    """Base: a user is weights on the simplex, solved for on the user's choices inside `forward`.

    The papers learn shared parameters and the training users' weights jointly, by maximum likelihood. Here
    the weights are a function of the shared parameters instead: w(V) = argmin over w of loss(V, w), solved
    anew in every step and taken as a constant in the backward pass. That is the same problem in profile form:
    its objective is loss(V, w(V)), whose minimum over V is the joint minimum, and whose gradient is the
    partial one in V alone, since a small change of w(V) changes nothing to first order where w is best and
    may only move along the simplex (envelope theorem). No table of weights is kept, so users may come and go.

    For this the weights have to be solved on the choices that the loss counts: train with
    `fsa.objectives.joint_likelihood.JointLikelihood`, which shows the scorer context and target together, of
    which the targets are a random part. A `kl_weight` makes it joint maximum a posteriori, as the KL does not
    depend on V. With another objective weights are solved on the context and tried on targets that they have
    not seen: then V is learned for few choices, which the papers do not do, and the gradient lacks the part
    that goes through the weights.

    Args:
        d_feature: Width of an option's features.
        hidden: Widths of the layers of a learned map of the features; none keeps them.
        dropout: Share of mapped dimensions dropped in training, 0-1; never where weights are solved for.
        kl_weight: Nats of loss per nat of KL(weights || uniform), >= 0, where weights are solved for; larger
            trusts few choices less. 0 is the papers'.
        steps: Newton steps to solve with.

    Raises:
        ConfigError: `kl_weight` is negative, or there is no step.
    """

    reads_memory: ClassVar[bool] = True

    def __init__(
        self,
        d_feature: int,
        *,
        hidden: list[int] | None = None,
        dropout: float = 0.3,
        kl_weight: float = 0.0,
        steps: int = 20,
    ) -> None:
        super().__init__()
        if kl_weight < 0 or steps < 1:
            raise ConfigError(f"kl_weight is {kl_weight} and steps {steps}; allowed are >= 0 and >= 1")
        self.kl_weight, self.steps = kl_weight, steps
        widths = [d_feature, *(hidden or [])]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.SiLU()]
        self.embed, self.dropout, self.d_embedded = nn.Sequential(*layers), nn.Dropout(dropout), widths[-1]

    @abstractmethod
    def parts(self, embedded: Float[Tensor, "*rows h"]) -> Float[Tensor, "*rows r"]:
        """Rewards that all users share; a user's own is their mean by the weights, up to a constant."""

    @abstractmethod
    def reward(
        self, embedded: Float[Tensor, "b n k h"], weights: Float[Tensor, "b r"]
    ) -> Float[Tensor, "b n k"]:
        """The user's own reward, in nats."""

    @torch.no_grad()
    def weights(self, belief: Belief) -> Float[Tensor, "b r"]:
        """Each user's weights, given the choices that the belief keeps; uniform for no choice."""
        memory = self.remembered(belief)
        parts = self.parts(self.embed(memory.features))
        return fit_on_simplex(parts, memory.places, self.kl_weight, self.steps)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k 1"]:
        embedded = self.dropout(self.embed(choices.features))  # [b, n, k, h]
        reward = self.reward(embedded, self.weights(belief))
        return reward.unsqueeze(-1).expand(len(z), *reward.shape, 1)
