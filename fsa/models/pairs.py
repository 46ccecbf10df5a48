"""`Pairs`: choices between two options under a reward linear in the latent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.beliefs import root
from fsa.predictive import Predictive, normal_atoms
from fsa.types import Belief, ChoiceBatch


@dataclass(frozen=True)
class Pairs:
    """What probabilities of pairs need, so that they can be had for many sizes of rewards and of doubt.

    A pair's rewards are averaged along their difference, without chance: strangers' odds are even so, and
    gradients quiet. Choices with other numbers of options are in the shapes and mean nothing. The axes'
    letters are those of `fsa.types`; **m** counts the components of the mixture.

    Attributes:
        sign: 1 for the first option that there is, -1 for the second, 0 for none.
        middle: Rewards at the mean of the belief.
        gap: Their difference, first less second.
        apart: Difference of each component's mean from `gap`; None where the belief is one Gaussian.
        variance: Of the difference in any component, or in the one Gaussian.
        log_weight: Log-probability of each component; None where there is one Gaussian.
        members: Parts of an ensemble that the components fall into.
    """

    sign: Float[Tensor, "b n k"]
    middle: Float[Tensor, "b n k"]
    gap: Float[Tensor, "b n"]
    apart: Float[Tensor, "m b n"] | None
    variance: Float[Tensor, "b n"]
    log_weight: Float[Tensor, "m b"] | None
    members: int

    @classmethod
    def of(
        cls,
        choices: ChoiceBatch,
        belief: Belief,
        population: Float[Tensor, "b n k"],
        taste: Float[Tensor, "b n k z"],
        members: int = 1,
    ) -> Pairs:
        """Of the reward population + z . taste under a belief in z."""
        here = choices.option_mask
        sign = torch.where(here & (here.cumsum(-1) == 1), 1, -here.to(taste.dtype))
        direction = torch.einsum("bnkz,bnk->bnz", taste, sign)
        of_mean = torch.einsum("bnkz,bz->bnk", taste, belief.mean)
        middle = of_mean + population
        gap = (middle * sign).sum(-1)
        if belief.mixture is None:
            return cls(sign, middle, gap, None, belief.variance_along(direction), None, 1)
        means, variance = belief.mixture.along(direction)
        apart = (means - (of_mean * sign).sum(-1, keepdim=True)).permute(2, 0, 1)
        return cls(sign, middle, gap, apart, variance, belief.mixture.log_weight.T, members)

    def predictive(
        self,
        num_atoms: int,
        factor: Float[Tensor, "*b"] | None = None,
        width: Float[Tensor, ""] | None = None,
    ) -> Predictive:
        """Scores to average probabilities over.

        Under a Gaussian the atoms are its quantiles. Under a mixture each component is one, drawn towards
        zero by as much as its own spread makes the odds more even.

        Args:
            num_atoms: Quantiles of a Gaussian.
            factor: What rewards are multiplied with, for all or for each user; None for 1.
            width: What all that lies around the mean of the belief is multiplied with; None for 1.

        Reference:
            [MacKay1992] Eq. 17: the logistic function averaged over a normal.
        """
        middle, gap, apart, variance = self.middle, self.gap, self.apart, self.variance
        if width is not None:
            width = width.to(variance)
            apart, variance = None if apart is None else width * apart, width.square() * variance
        if factor is not None:
            each = factor.to(gap).view(-1, 1)
            middle, gap, variance = each.unsqueeze(-1) * middle, each * gap, each.square() * variance
            apart = None if apart is None else each * apart
        if apart is None or self.log_weight is None:
            atoms, log_weight = normal_atoms(num_atoms).to(variance).view(-1, 1, 1) * root(variance), None
        else:
            atoms = (apart + gap) * (1 + math.pi / 8 * variance).rsqrt() - gap
            log_weight = self.log_weight.unsqueeze(-1).expand_as(atoms)
        scores = (middle + atoms.unsqueeze(-1) * (self.sign / 2)).unsqueeze(-1)
        return Predictive(scores, log_weight, self.members)
