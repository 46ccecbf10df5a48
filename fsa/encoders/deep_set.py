"""`DeepSet`: every choice gives evidence by itself; the evidence is summed."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from fsa.encoders.encoder import ContextEncoder, better_and_worse
from fsa.encoders.pooling import SaturatingSum
from fsa.encoders.spread import EvidenceSpread
from fsa.types import Belief, ChoiceBatch


class DeepSet(ContextEncoder):
    """Sum of what each choice says, where the opposite choice says the opposite.

    A choice is seen as better against worse (`ChoiceBatch.contrast`), and its evidence is an odd function of
    it: swap the two and the evidence flips. An empty context therefore gives the belief zero, and a user
    who contradicts themselves has the prior's belief. With no hidden layers evidence is linear in the
    difference better - worse, which is what a few hundred prompts can teach; with hidden layers it is
    e(better, worse) - e(worse, better) of a network e, for users whose tastes are no direction.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        hidden: Widths of the hidden layers of the evidence; none makes it linear.
        rate: How soon evidence saturates; see `SaturatingSum`.
        dropout: Share of evidence dimensions dropped in training, 0-1.
        squash: Width of a tanh layer between pool and belief, 0 for none. It stays odd, and lets evidence for
            one of a few types of people saturate, whatever the number of choices that told them apart.
        spread: Whether beliefs are Gaussian, with a std of 1 for the empty context that shrinks with evidence
            whichever way it points; else points.

    Reference:
        [Zaheer2017] Deep Sets, Theorem 2: a sum of embeddings; [Kobalczyk2024] Sec. 4: the context encoder.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        hidden: list[int] | None = None,
        rate: float = 0.05,
        dropout: float = 0.5,
        squash: int = 64,
        spread: bool = False,
    ) -> None:
        super().__init__()
        widths = [2 * d_feature, *hidden] if hidden else []
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.SiLU()]
        self.evidence = nn.Sequential(*layers) if hidden else None
        width = hidden[-1] if hidden else d_feature
        self.dropout = nn.Dropout(dropout)
        self.pool = SaturatingSum(width, rate)
        # No biases: they would make it no longer odd.
        layers = [nn.Linear(width, squash, bias=False), nn.Tanh()] if squash else []
        self.mean = nn.Sequential(*layers, nn.Linear(squash or width, d_belief, bias=False))
        self.has_spread = spread
        self.std = EvidenceSpread(width, d_belief) if spread else None

    def forward(self, choices: ChoiceBatch) -> Belief:
        each = self.dropout(self._each(choices))  # [b, n, h]
        mean = self.mean(self.pool(each, choices.mask))
        if self.std is None:
            return Belief.point(mean)
        return Belief(mean, self.std(each.abs(), choices.mask))

    def _each(self, choices: ChoiceBatch) -> Tensor:
        better, worse = better_and_worse(choices)
        if self.evidence is None:
            return better - worse
        forth = self.evidence(torch.cat([better, worse], -1))
        back = self.evidence(torch.cat([worse, better], -1))
        return forth - back
