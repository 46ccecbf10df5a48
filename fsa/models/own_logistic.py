"""`OwnLogistic`: a reward fitted on the user's own choices, and on nothing else."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.models.scorer import Scorer
from fsa.solvers.ridge_logistic import ridge_logistic
from fsa.types import Belief, ChoiceBatch


class OwnLogistic(Scorer):
    """Bradley-Terry-Luce per user: a linear reward, fitted on the context at every call.

    Nothing is learned from other users but one number, the strength of the ridge: training moves it through
    the solution, so that rewards fitted on contexts predict targets. A person without choices scores zero
    everywhere. A choice among more than two, a ranking and a tie count as the one difference better - worse
    that `ChoiceBatch.difference` gives.

    Args:
        d_feature: Width of an option's features.
        d_belief: Not used; a belief's memory is read.
        ridge: Strength of the ridge at the start, > 0; larger keeps rewards smaller.

    Reference:
        [BradleyTerry1952] with a normal prior: the maximum of the posterior.
    """

    reads_memory: ClassVar[bool] = True

    def __init__(self, d_feature: int, d_belief: int, ridge: float = 10.0) -> None:
        super().__init__()
        self.log_ridge = nn.Parameter(torch.tensor(math.log(ridge)))

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        own = ridge_logistic(self.remembered(belief).difference(), self.log_ridge.exp())
        scores = torch.einsum("bnkd,bd->bnk", choices.features, own)
        return scores[None, ..., None].expand(len(z), -1, -1, -1, -1)
