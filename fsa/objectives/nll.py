"""`NegativeLogLikelihood`: predict the user's other choices."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from fsa.objectives.objective import LossParts, Objective, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class NegativeLogLikelihood(Objective):
    """Minus the log of the mean probability over latents drawn from the belief given the context.

    The mean is of probabilities, not of their logs: it is what the model would predict. For a point belief
    one latent is all there is.

    Reference:
        [Foong2020] Eq. 4: maximum-likelihood training of neural processes; here per target choice.
    """

    counts_each = True

    def draw(
        self, given_context: Belief, given_all: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b z"]:
        return given_context.sample(noise)

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        predictive = log_probs.logsumexp(0) - math.log(len(log_probs))
        loss = -mean_over_targets(predictive, target.mask).mean()
        return LossParts(loss, {"nll": loss.detach()})
