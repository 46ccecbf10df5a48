"""`IdentityPreference`: the IPO loss, a squared distance of the margin instead of a log-probability."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.objective import LossParts, log1mexp, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class IdentityPreference(NegativeLogLikelihood):
    """Pulls the margin between chosen and rejected to one half, instead of pushing it up for ever.

    With beta * (log-ratio of chosen - log-ratio of rejected) as margin m, (m - 1/2)^2 is beta^2 times the
    paper's (h - 1 / (2 tau))^2 for tau = beta. Pairs under the Bradley-Terry-Luce likelihood only: the margin
    is the log-odds of the choice.

    Reference:
        [Azar2024] Eq. 17: the loss. Where all users always agree, the margin of DPO has no end.
    """

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        predictive = log_probs.logsumexp(0) - math.log(len(log_probs))
        margin = predictive - log1mexp(predictive)
        loss = mean_over_targets((margin - 0.5).square(), target.mask).mean()
        return LossParts(loss, {"nll": -mean_over_targets(predictive, target.mask).mean().detach()})
