"""`DecisionGain`: how much an answer is expected to say about which response is best."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fsa.questions.acquisition import Acquisition, entropy


class DecisionGain(Acquisition):
    """Mutual information of an answer and the decision at hand: which of some responses is best.

    What else the answer says about the person is worth nothing. Without a decision, each pair's own is meant:
    which of its two the person prefers.

    Args:
        best: Number of the response that is best at each atom of the belief.
    """

    needs_doubt = True

    def __init__(self, best: Int[Tensor, " s"] | None = None) -> None:
        self.best = best

    def deciding(self, best: Int[Tensor, " s"]) -> Self:
        return type(self)(best)

    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        doubt = entropy(weight @ first)
        if self.best is None:
            left = [_left(first, weight, first > 0.5), _left(first, weight, first <= 0.5)]
        else:
            kinds = (self.best == number for number in self.best.unique())
            left = [_left(first[here], weight[here], torch.ones_like(first[here])) for here in kinds]
        return (doubt - torch.stack(left).sum(0)).clamp(min=0)

    def why(self, worth: float, chance: float) -> str:
        return (
            f"the answer is expected to say {worth:.3f} nats about which response is best, no other pair "
            f"more; the first option is picked with a probability of {chance:.0%}"
        )


def _left(first: Float[Tensor, "s q"], weight: Float[Tensor, " s"], here: Tensor) -> Float[Tensor, " q"]:
    """Doubt about the answers that is left at some of the atoms, times their probability."""
    mine = weight.unsqueeze(-1) * here
    share = mine.sum(0)
    return share * entropy((mine * first).sum(0) / share.clamp(min=1e-300))
