"""`NoContext`: the same belief for all users; makes any model a pooled one."""

from __future__ import annotations

from fsa.encoders.encoder import ContextEncoder
from fsa.types import Belief, ChoiceBatch


class NoContext(ContextEncoder):
    """A point at zero, whatever was chosen.

    With it a reward model is pooled Bradley-Terry-Luce; trained on one group, a dedicated one.
    """

    def __init__(self, d_feature: int, d_belief: int) -> None:
        super().__init__()
        self.d_belief = d_belief

    def forward(self, choices: ChoiceBatch) -> Belief:
        return Belief.point(choices.features.new_zeros(len(choices.rows), self.d_belief))
