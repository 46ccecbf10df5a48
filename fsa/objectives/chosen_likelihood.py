"""`ChosenLikelihood`: choices predicted, and chosen responses made likelier."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ConfigError
from fsa.objectives.objective import LossParts, mean_over_targets
from fsa.objectives.smoothed_nll import SmoothedNLL
from fsa.types import ChoiceBatch


class ChosenLikelihood(SmoothedNLL):
    """`SmoothedNLL`, and the log-likelihood of chosen responses beside it.

    Choices alone teach a policy which of two responses is likelier. The fastest way is to make the rejected
    one unlikely, which changes little in what the policy writes. Here the chosen one has to become likelier
    too.

    Args:
        smoothing: Probability, 0 to below 0.5, that a choice is taken for its opposite.
        weight: Nats of loss for each unit that a chosen response's score falls, >= 0. A score is beta times a
            response's log-likelihood, less what the reference gives it.

    Raises:
        ConfigError: A number is out of range.

    Reference:
        [Pang2024] Eq. 1, whose weight is divided by a response's tokens.
    """

    needs_policy = True

    def __init__(self, smoothing: float = 0.1, weight: float = 0.05) -> None:
        super().__init__(smoothing)
        if not 0 <= weight < float("inf"):
            raise ConfigError(f"weight is {weight}, allowed is 0 or more")
        self.weight = weight

    def with_scores(
        self, parts: LossParts, scores: Float[Tensor, "s b n k p"], target: ChoiceBatch
    ) -> LossParts:
        is_chosen = target.places == 0
        score = torch.where(is_chosen, scores[..., 0], 0).sum(-1) / is_chosen.sum(-1).clamp(min=1)
        chosen = mean_over_targets(score, target.mask).mean()
        return replace(
            parts, loss=parts.loss - self.weight * chosen, parts={**parts.parts, "chosen": chosen.detach()}
        )
