"""`Particles`: Bayes' rule over a learned set of tastes and their opposites."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from fsa.encoders.encoder import ContextEncoder
from fsa.encoders.pooling import SaturatingSum
from fsa.encoders.spread import EvidenceSpread
from fsa.types import Belief, ChoiceBatch


class Particles(ContextEncoder):
    """A posterior over places that training spreads over where people are; the belief is its mean.

    A taste is a place in the belief's space, a choice's log-odds under it the product of that place with a
    linear map of the difference better - worse. A user who has it chooses by these odds, but for a share of
    slips, which are chosen at random. Bayes' rule then weighs all places and their opposites. Few people of
    few types and a continuum of tastes are the same to it: the places gather, or lie all over. It is odd:
    opposite choices give the opposite belief, an empty context the belief zero.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        particles: Places, >= 1; each stands for its opposite as well.
        slip: Share of choices made at random at the start, 0-1 exclusive; learned. It bounds what a single
            choice can say: no more than log(2 / slip - 1) nats.
        rate: How soon evidence saturates; see `SaturatingSum`. One rate for all places.
        dropout: Share of feature dimensions dropped in training, 0-1.
        spread: Whether beliefs are Gaussian, with a std of 1 for the empty context that shrinks with evidence
            whichever way it points; else points.

    Raises:
        ValueError: `particles` is below 1, or `slip` is not a share.

    Reference:
        [Kobalczyk2024] Sec. 4: the context encoder; [Train2008] EM algorithms for nonparametric estimation of
        mixing distributions: a prior over tastes as points with weights. Places learned with it are ours.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        particles: int = 128,
        slip: float = 0.05,
        rate: float = 0.05,
        dropout: float = 0.0,
        spread: bool = False,
    ) -> None:
        super().__init__()
        if particles < 1 or not 0 < slip < 1:
            raise ValueError(f"particles must be >= 1 and slip from 0 to 1, got {particles} and {slip}")
        self.dropout = nn.Dropout(dropout)
        self.directions = nn.Linear(d_feature, d_belief, bias=False)  # a bias would make it no longer odd
        # Features of unit spread then have log-odds of some 2 nats: people differ, not beyond doubt.
        nn.init.normal_(self.directions.weight, std=2 * (d_feature * d_belief) ** -0.5)
        self.places = nn.Parameter(torch.randn(particles, d_belief))
        self.log_weight = nn.Parameter(torch.zeros(particles))
        self.slip = nn.Parameter(torch.tensor(math.log(slip / (1 - slip))))
        self.pool = SaturatingSum(1, rate)
        self.has_spread = spread
        self.std = EvidenceSpread(d_feature, d_belief) if spread else None

    def forward(self, choices: ChoiceBatch) -> Belief:
        difference = self.dropout(choices.difference())  # [b, n, d]
        log_odds = self.directions(difference) @ self.places.T  # [b, n, particles]
        kind, opposite = (
            self.log_weight + self.pool(self._log_likelihood(sign * log_odds), choices.mask)
            for sign in (1, -1)
        )
        kind, opposite = torch.cat([kind, opposite], -1).softmax(-1).chunk(2, -1)
        mean = (kind - opposite) @ self.places
        if self.std is None:
            return Belief.point(mean)
        return Belief(mean, self.std(difference.abs(), choices.mask))

    def _log_likelihood(self, log_odds: Float[Tensor, "*rows p"]) -> Float[Tensor, "*rows p"]:
        """log(slip / 2 + (1 - slip) sigmoid(log_odds)), nats."""
        by_taste = logsigmoid(-self.slip) + logsigmoid(log_odds)
        return torch.logaddexp(by_taste, logsigmoid(self.slip) - math.log(2))
