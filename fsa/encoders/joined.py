"""`Joined`: several readings of a user side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from fsa.encoders.encoder import ContextEncoder
from fsa.encoders.logistic_posterior import LogisticPosterior
from fsa.encoders.prototypes import Prototypes
from fsa.types import Belief, ChoiceBatch


class Joined(ContextEncoder):
    """Beliefs of several encoders as one: whether people are of a few kinds or all different, data decide.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief, shared out evenly, the first ones getting what is left over.
        members: The encoders, all with a spread or none; `Prototypes` and `LogisticPosterior` where None.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        members: list[Callable[[int, int], ContextEncoder]] | None = None,
    ) -> None:
        super().__init__()
        members = [Prototypes, LogisticPosterior] if members is None else members
        count = len(members)
        if not 1 <= count <= d_belief:
            raise ValueError(f"{count} members share a belief of width {d_belief}; each needs 1 or more")
        widths = [d_belief // count + (place < d_belief % count) for place in range(count)]
        built = [member(d_feature, width) for member, width in zip(members, widths, strict=True)]
        if len({member.has_spread for member in built}) > 1:
            raise ValueError("some members give Gaussian beliefs and some points; set spread alike for all")
        self.members = nn.ModuleList(built)
        self.has_spread = built[0].has_spread

    def forward(self, choices: ChoiceBatch) -> Belief:
        beliefs = [member(choices) for member in self.members]
        return Belief(
            torch.cat([belief.mean for belief in beliefs], -1),
            torch.cat([belief.std for belief in beliefs], -1),
        )
