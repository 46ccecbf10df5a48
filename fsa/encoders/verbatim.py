"""`Verbatim`: keeps the choices as they are, for scorers that read them."""

from __future__ import annotations

from fsa.encoders.encoder import ContextEncoder
from fsa.types import Belief, ChoiceBatch


class Verbatim(ContextEncoder):
    """No bottleneck: a point belief at zero that keeps the choices as its `memory`.

    For scorers with `reads_memory`, which fit a user or attend to the choices themselves.
    """

    def __init__(self, d_feature: int, d_belief: int) -> None:
        super().__init__()
        self.d_belief = d_belief

    def forward(self, choices: ChoiceBatch) -> Belief:
        nothing = choices.features.new_zeros(len(choices.rows), self.d_belief)
        return Belief(nothing, nothing, choices)
