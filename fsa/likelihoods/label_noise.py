"""`LabelNoise`: sometimes people answer at random."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from fsa.likelihoods.likelihood import ChoiceLikelihood


class LabelNoise(ChoiceLikelihood):
    """Another likelihood with probability 1 - rate, else any outcome of the choice, all equally likely.

    No answer is then worse than log(rate / outcomes), so a few slips do not bend the rewards.

    Args:
        base: How people answer when they attend.
        rate: Share of random answers, strictly between 0 and 1; where learned, at the start.
        learn: Whether training moves the rate.

    Reference:
        [Kobalczyk2024] has no such term; the mixture with an even lapse is that of psychometric functions
        ([Wichmann2001] Eq. 1).

    Example:
        >>> from fsa.likelihoods.btl import BradleyTerryLuce
        >>> noisy = LabelNoise(BradleyTerryLuce(), rate=0.2)
        >>> noisy.log_prob(torch.tensor([[[0.0], [1e3]]]), torch.tensor([[0, 1]])).exp()  # 0.8 * 0 + 0.2 / 2
        tensor([0.1000])
    """

    def __init__(self, base: ChoiceLikelihood, rate: float = 0.05, learn: bool = False) -> None:
        super().__init__()
        if not 0 < rate < 1:
            raise ValueError(f"rate is a share of answers, strictly between 0 and 1, got {rate}")
        self.base = base
        self.num_params, self.outcomes, self.max_options = base.num_params, base.outcomes, base.max_options
        logit = torch.tensor([math.log(rate / (1 - rate))])
        if learn:
            self.logit = nn.Parameter(logit)
        else:
            self.register_buffer("logit", logit)

    @property
    def rate(self) -> Float[Tensor, 1]:
        """Share of random answers, 0-1."""
        return self.logit.sigmoid()

    def log_prob(
        self, scores: Float[Tensor, "*rows k p"], places: Int[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows"]:
        attentive = self.base.log_prob(scores, places)
        at_random = functional.logsigmoid(self.logit) - self.log_num_outcomes(places)
        mixed = torch.logaddexp(attentive + functional.logsigmoid(-self.logit), at_random.to(attentive.dtype))
        is_known = (places >= 0).any(-1) & ~attentive.isneginf()
        return torch.where(is_known, mixed, attentive)

    def best(
        self, scores: Float[Tensor, "*rows k p"], option_mask: Bool[Tensor, "*rows k"]
    ) -> Float[Tensor, "*rows k"]:
        pick_of_first = torch.where(option_mask, (option_mask.cumsum(-1) > 1).long(), -1)
        attentive = self.base.best(scores, option_mask)
        rate = self.rate.to(attentive.dtype)
        at_random = rate * self.log_num_outcomes(pick_of_first).neg().exp().unsqueeze(-1).to(attentive.dtype)
        mixed = (1 - rate) * attentive + at_random
        return torch.where(option_mask, mixed, 0)

    def log_num_outcomes(self, places: Int[Tensor, "*rows k"]) -> Float[Tensor, "*rows"]:
        return self.base.log_num_outcomes(places)
