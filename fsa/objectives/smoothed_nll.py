"""`SmoothedNLL`: negative log-likelihood that allows for choices made by mistake."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from fsa.errors import ConfigError
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.objective import LossParts, log1mexp, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class SmoothedNLL(NegativeLogLikelihood):
    """Cross-entropy to a choice that was the other way round with a small probability: label smoothing.

    Args:
        smoothing: Probability, 0 to below 0.5, that a choice is taken for its opposite; 0 is the plain NLL.

    Raises:
        ConfigError: `smoothing` is outside that.

    Reference:
        [Mitchell2023] A note on DPO with noisy preferences, Eq. 3 (conservative DPO).
    """

    def __init__(self, smoothing: float = 0.1) -> None:
        super().__init__()
        if not 0 <= smoothing < 0.5:
            raise ConfigError(f"smoothing is {smoothing}, allowed are 0 to below 0.5")
        self.smoothing = smoothing

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        predictive = log_probs.logsumexp(0) - math.log(len(log_probs))
        crossed = (1 - self.smoothing) * predictive + self.smoothing * log1mexp(predictive)
        loss = -mean_over_targets(crossed, target.mask).mean()
        return LossParts(loss, {"nll": -mean_over_targets(predictive, target.mask).mean().detach()})
