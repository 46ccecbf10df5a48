"""`Prototypes`: which of a few kinds of people, or of their opposites, this is."""

from __future__ import annotations

import torch
from torch import nn

from fsa.encoders.encoder import ContextEncoder
from fsa.encoders.pooling import SaturatingSum
from fsa.encoders.spread import EvidenceSpread
from fsa.types import Belief, ChoiceBatch


class Prototypes(ContextEncoder):
    """A softmax over learned kinds of people and their opposites, by summed log-odds; the belief is its mean.

    Each choice gives log-odds for every kind against its opposite, linear in the difference better - worse
    and bounded, so that no single choice decides. Their sum u goes through a softmax over (u, -u): kinds
    compete, and one that stands out leaves the others nothing, which is how a posterior over a few types of
    people behaves. The belief is the mean place of the kinds, an opposite at minus its kind's. So it is odd:
    opposite choices give the opposite belief, an empty context the belief zero. With many kinds it is a
    posterior over a grid of tastes.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        kinds: Kinds of people, >= 1; each stands for its opposite as well.
        bound: Most log-odds that one choice gives, in nats, > 0; smaller trusts single choices less.
        rate: How soon evidence saturates; see `SaturatingSum`.
        dropout: Share of feature dimensions dropped in training, 0-1.
        spread: Whether beliefs are Gaussian, with a std of 1 for the empty context that shrinks with evidence
            whichever way it points; else points.

    Raises:
        ValueError: `kinds` or `bound` is not positive.

    Reference:
        [Kobalczyk2024] Sec. 4: the context encoder; Bayes' rule over types with opposites is our form of it.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        kinds: int = 32,
        bound: float = 1.5,
        rate: float = 0.1,
        dropout: float = 0.3,
        spread: bool = False,
    ) -> None:
        super().__init__()
        if kinds < 1 or bound <= 0:
            raise ValueError(f"kinds must be >= 1 and bound > 0, got {kinds} and {bound}")
        self.bound = bound
        self.dropout = nn.Dropout(dropout)
        self.log_odds = nn.Linear(d_feature, kinds, bias=False)  # a bias would make it no longer odd
        self.pool = SaturatingSum(kinds, rate)
        self.place = nn.Linear(kinds, d_belief, bias=False)
        nn.init.normal_(self.place.weight)  # beliefs of known kinds are of unit size
        self.has_spread = spread
        self.std = EvidenceSpread(d_feature, d_belief) if spread else None

    def forward(self, choices: ChoiceBatch) -> Belief:
        difference = self.dropout(choices.difference())  # [b, n, d]
        each = self.bound * torch.tanh(self.log_odds(difference) / self.bound)  # [b, n, kinds]
        log_odds = self.pool(each, choices.mask)
        kind, opposite = torch.cat([log_odds, -log_odds], -1).softmax(-1).chunk(2, -1)
        mean = self.place(kind - opposite)  # sinh(u) over the sum of all cosh(u)
        if self.std is None:
            return Belief.point(mean)
        return Belief(mean, self.std(difference.abs(), choices.mask))
