"""`FiLM`: the belief scales and shifts the hidden features of a perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.types import Belief, ChoiceBatch


class FiLM(Scorer):
    """An MLP on an option's features; its hidden layers are scaled by 1 + gain(z) and moved by shift(z).

    A zero belief leaves the MLP as it is: that is the reward of the population.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        hidden: Widths of the hidden layers, at least one.
        dropout: Share of hidden dimensions dropped in training, 0-1.
        num_params: Scores per option, as many as the likelihood's.

    Raises:
        ConfigError: There is no hidden layer.

    Reference:
        [Perez2018] FiLM, Eq. 1: feature-wise affine conditioning.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        hidden: Sequence[int] = (64, 64),
        dropout: float = 0.0,
        num_params: int = 1,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ConfigError("FiLM needs a hidden layer to scale and shift")
        self.layers = nn.ModuleList(nn.Linear(*widths) for widths in pairwise([d_feature, *hidden]))
        self.modulations = nn.ModuleList(nn.Linear(d_belief, 2 * width, bias=False) for width in hidden)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(hidden[-1], num_params, bias=False)

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        hidden = choices.features
        for layer, modulation in zip(self.layers, self.modulations, strict=True):
            gain, shift = modulation(z)[:, :, None, None].chunk(2, -1)  # [s, b, 1, 1, h] each
            hidden = self.dropout(functional.silu(layer(hidden) * (1 + gain) + shift))  # [s, b, n, k, h]
        return self.score(hidden)
