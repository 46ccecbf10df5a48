"""`JointLikelihood`: fit the user and the shared parameters on the same choices."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from fsa.objectives.nll import NegativeLogLikelihood
from fsa.types import Belief


class JointLikelihood(NegativeLogLikelihood):
    """Negative log-likelihood of targets that the belief has read: it is given context and target.

    How methods are trained that learn a table of users beside what users share: a scorer that solves for its
    users (`fsa.models.mixture.Mixture`) then solves on all choices of the episode. The targets are a random
    part of these, so the mean over targets, and its gradient, are in expectation those of the joint
    likelihood of all of them. The training loss is optimistic; validation reads the context alone.

    Reference:
        [Bose2025] LoRe, arXiv 2504.14439; [Chen2024] PAL, arXiv 2406.08469: joint maximum likelihood.
    """

    needs_posterior = True

    def draw(
        self, given_context: Belief, given_all: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b z"]:
        return given_all.sample(noise)

    def scorer_belief(self, given_context: Belief, given_all: Belief) -> Belief:
        return given_all
