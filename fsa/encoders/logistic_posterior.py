"""`LogisticPosterior`: Bayes' rule for a taste that is a direction of features."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.encoders.encoder import ContextEncoder
from fsa.types import Belief, ChoiceBatch

_UPDATES = 5  # a sixth changes beliefs after ten choices by 0.2 % (median), at three times the scale by 5 %


class LogisticPosterior(ContextEncoder):
    """The posterior over a latent z ~ N(0, I) whose choices are Bradley-Terry-Luce with reward z . V h.

    What is learned is V, the directions in which people differ, scaled by how much they do; how a few choices
    of one person move z is then no matter of learning but of Bayes' rule, in the variational form that has
    closed updates. So evidence adds up as it should for any number of choices: what is already known moves
    the belief little, what contradicts it much. The belief is odd: opposite choices give the opposite
    belief, an empty context the prior.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        dropout: Share of feature dimensions dropped in training, 0-1, the same of all of a user's choices.
        spread: Whether beliefs are Gaussian, with the posterior's own std; else points.

    Reference:
        [Jaakkola2000] Bayesian parameter estimation via variational methods; [Bishop2006] Sec. 10.6: the
        updates.
        [Kobalczyk2024] Sec. 4: the context encoder that this is a form of.
    """

    def __init__(self, d_feature: int, d_belief: int, dropout: float = 0.0, spread: bool = False) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.directions = nn.Linear(d_feature, d_belief, bias=False)
        # Features of unit spread then have log-odds of some 3 nats: people differ, not beyond doubt.
        nn.init.normal_(self.directions.weight, std=2 * (d_feature * d_belief) ** -0.5)
        self.has_spread = spread

    def forward(self, choices: ChoiceBatch) -> Belief:
        difference = choices.difference()  # [b, n, d]
        kept = self.dropout(torch.ones_like(difference[:, :1]))
        each = self.directions(difference * kept)  # [b, n, z]
        mean, covariance = _posterior(torch.where(choices.mask.unsqueeze(-1), each, 0))
        if not self.has_spread:
            return Belief.point(mean)
        return Belief(mean, covariance.diagonal(dim1=-2, dim2=-1).sqrt())


def _posterior(
    each: Float[Tensor, "b n z"],
) -> tuple[Float[Tensor, "b z"], Float[Tensor, "b z z"]]:
    """Mean and covariance of z ~ N(0, I) after choices with log-odds z . each; one of zeros says nothing."""
    identity = torch.eye(each.shape[-1], dtype=each.dtype, device=each.device)

    def given(curvature: Float[Tensor, "b n"]) -> tuple[Float[Tensor, "b z"], Float[Tensor, "b z z"]]:
        covariance = torch.linalg.inv(identity + 2 * (each * curvature.unsqueeze(-1)).mT @ each)
        return torch.einsum("bzy,bny->bz", covariance, each) / 2, covariance

    mean, covariance = given(each.new_full(each.shape[:2], 0.125))  # the bound's at log-odds of zero
    for _ in range(_UPDATES - 1):
        # The bound touches at the root of the mean square of the log-odds.
        variance = ((each @ covariance) * each).sum(-1)
        log_odds = (torch.einsum("bnz,bz->bn", each, mean).square() + variance + 1e-6).sqrt()
        mean, covariance = given(torch.tanh(log_odds / 2) / (4 * log_odds))
    return mean, covariance
