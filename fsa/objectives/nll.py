"""`NegativeLogLikelihood`: predict the user's other choices."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from fsa.models.scorer import Scorer
from fsa.objectives.objective import LossParts, Objective, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class NegativeLogLikelihood(Objective):
    """Minus the log of the mean probability over latents drawn from the belief given the context.

    The mean is of probabilities, not of their logs: it is what the model would predict. For a point belief
    one latent is all there is.

    Reference:
        [Foong2020] Eq. 4: maximum-likelihood training of neural processes; here per target choice.
    """

    def draw(
        self, given_context: Belief, given_all: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b z"]:
        return given_context.sample(noise)

    def scores(
        self,
        scorer: Scorer,
        target: ChoiceBatch,
        given_context: Belief,
        given_all: Belief,
        noise: Float[Tensor, "s b z"],
    ) -> Float[Tensor, "s b n k p"]:
        # Targets count one by one here, so each may be averaged over the belief in its own way.
        return scorer.predictive(target, self.to_scorer(given_context, given_all), noise)

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        predictive = log_probs.logsumexp(0) - math.log(len(log_probs))
        loss = -mean_over_targets(predictive, target.mask).mean()
        return LossParts(loss, {"nll": loss.detach()})
