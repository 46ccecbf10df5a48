"""`PredictiveGain`: how much an answer is expected to say about the other answers."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition, entropy
from fsa.questions.information_gain import InformationGain

_MOST_OTHERS = 64  # answers that are predicted; more of them change the mean by little


class PredictiveGain(Acquisition):
    """Mutual information of an answer and the answer to another pair, in the mean over the pairs at hand.

    What the answer says about the person without any consequence for the other pairs is worth nothing: a
    belief is wide in directions that no pair looks along, and in those there is much to learn and little to
    gain. Of more than 64 pairs, 64 at even distances stand for all.

    Reference:
        [Smith2023] Prediction-oriented Bayesian active learning, Sec. 4: EPIG.
    """

    needs_doubt: ClassVar[bool] = True

    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        num_pairs = first.shape[1]
        if num_pairs == 1:  # there is no other
            return InformationGain().worth(first, weight)
        others = torch.arange(0, num_pairs, -(-num_pairs // _MOST_OTHERS), device=first.device)
        chance = weight @ first
        other = chance[others]
        both = (first * weight.unsqueeze(-1)).T @ first[:, others]  # [q, o]
        cells = (both, chance.unsqueeze(-1) - both, other - both, 1 - chance.unsqueeze(-1) - other + both)
        joint = torch.stack([torch.special.entr(cell.clamp(min=0)) for cell in cells]).sum(0)
        said = entropy(chance).unsqueeze(-1) + entropy(other) - joint
        said[others, torch.arange(len(others), device=first.device)] = 0  # of itself
        num_others = torch.full_like(chance, len(others))
        num_others[others] -= 1
        return said.sum(-1).clamp(min=0) / num_others

    def why(self, worth: float, chance: float) -> str:
        return (
            f"the answer is expected to say {worth:.3f} nats about each other answer, no other pair more; "
            f"the first option is picked with a probability of {chance:.0%}"
        )
