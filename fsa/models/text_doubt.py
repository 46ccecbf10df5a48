"""`TextDoubt`: how far rewards may be off because training says little about texts like these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.types import Belief

_RANK = 256
"""Directions of features that are kept of what training says; in all others the prior stands."""


@dataclass(frozen=True)
class Seen:
    """Choices of training people, as one direction each: hidden units of the better option less the worse.

    Attributes:
        population: Directions in the population's map.
        taste: Directions in the taste map of each member of an ensemble.
        latent: Second moment of the latent of who chose, summed over choices; those of all members beside
            each other.
        weight: Information of each choice about its log-odds, p (1 - p), 0-0.25.
    """

    population: Float[Tensor, "n f"]
    taste: Float[Tensor, "n g h"]
    latent: Float[Tensor, "z z"]
    weight: Float[Tensor, " n"]


class TextDoubt(nn.Module):
    """Variance of a reward population(x) + z . taste(x) over the weights of both maps' last layers.

    The posterior of the weights is Laplace's: precision of their prior plus the information of the training
    choices, which for the taste map is taken to be the product of one matrix for latents and one for
    features. Without `fit` there is no doubt. Each member of an ensemble has weights and a posterior of its
    own; all saw the same choices, so what choices leave open does not average out: the mean of their rewards
    is in doubt by the mean of their variances.

    Args:
        precisions: Of the Gaussian priors over the weights of the population's and the taste's map, > 0.

    Reference:
        [Ritter2018] A scalable Laplace approximation for neural networks: the product of two factors;
        [MacKay1992] Sec. 2: the variance of an output by that of the weights.
    """

    _NAMES = ("population_axes", "population_known", "taste_axes", "taste_known", "latent_axes")
    population_axes: Float[Tensor, "f r"] | None
    population_known: Float[Tensor, " r"] | None
    taste_axes: Float[Tensor, "g h r"] | None
    taste_known: Float[Tensor, "g z/g r"] | None
    latent_axes: Float[Tensor, "g z/g z/g"] | None
    prior: Float[Tensor, 2] | None  # the precisions of a fit; None in models of before they were kept

    def __init__(self, precisions: Sequence[float]) -> None:
        super().__init__()
        self.precisions = tuple(precisions)
        for name in (*self._NAMES, "prior"):
            self.register_buffer(name, None)

    @torch.no_grad()
    def fit(self, seen: Sequence[Seen], num_choices: int) -> None:
        """Take the information of training choices.

        Args:
            seen: A sample of the choices.
            num_choices: How many there are in all.
        """
        sampled = sum(len(part.weight) for part in seen)
        share = num_choices / sampled
        latent = torch.stack([part.latent.double() for part in seen]).sum(0) / sampled
        of_latent, axes = torch.linalg.eigh(_of_members(latent, seen[0].taste.shape[1]))
        population, taste = self.precisions
        directions, known = _known([part.population.unsqueeze(1) for part in seen], seen, share)
        self.population_axes, self.population_known = directions[0], _taken_off(known[0], population)
        self.taste_axes, information = _known([part.taste for part in seen], seen, share)
        # The matrix for latents times that for features, eigenvalue by eigenvalue.
        each = of_latent.clamp(min=0).unsqueeze(-1) * information.unsqueeze(-2)
        self.taste_known = _taken_off(each, taste)
        self.latent_axes = axes.float().contiguous()
        self.prior = torch.tensor(self.precisions)

    def resize_buffers(self, stored: Mapping[str, Tensor]) -> None:
        """Make room for what was stored of a fit, if anything was."""
        for name in self._NAMES:
            if name in stored:
                setattr(self, name, torch.zeros_like(stored[name]))
        self.prior = torch.zeros(2) if "prior" in stored else None

    @torch.no_grad()
    def variance(
        self, population: Float[Tensor, "b *rows f"], taste: Float[Tensor, "b *rows g h"], belief: Belief
    ) -> Float[Tensor, " b *rows"] | None:
        """In nats squared, along directions of hidden units of the population's map and of each member's
        taste map; None without a fit, or with one of before members were told apart."""
        fitted = [getattr(self, name) for name in self._NAMES]
        members = taste.shape[-2]
        if any(each is None for each in fitted) or (members > 1 and fitted[-1].ndim == 2):
            return None
        population_axes, population_known, *of_tastes = (e.to(taste) for e in fitted)
        # Models of before ensembles have no axis of members.
        taste_axes, taste_known, axes = (e.view(members, *e.shape[-2:]) for e in of_tastes)
        of_population, of_taste = self.precisions if self.prior is None else self.prior.to(taste)
        shared = population.square().sum(-1) / of_population
        shared = shared - (population @ population_axes).square() @ population_known
        latent = _of_members(moment(belief).to(taste), members)
        latent = ((axes.mT @ latent) * axes.mT).sum(-1)  # of each of its axes, [b, g, z / g]
        known = torch.einsum("bgz,gzr->bgr", latent, taste_known)
        turned = torch.einsum("b...gh,ghr->b...gr", taste, taste_axes).square()
        own = torch.einsum("b...gh,bg->b...", taste.square(), latent.sum(-1)) / of_taste
        own = own - torch.einsum("b...gr,bgr->b...", turned, known)
        return (shared + own / members).clamp(min=0)


def _of_members(moment: Float[Tensor, "*b z z"], members: int) -> Float[Tensor, "*b g z/g z/g"]:
    """Second moments of each member's own latents, of those of a mixture that has them in equal parts."""
    width = moment.shape[-1] // members
    blocks = moment.unflatten(-1, (members, width)).unflatten(-3, (members, width))
    return members * blocks.diagonal(dim1=-4, dim2=-2).movedim(-1, -3)


def _known(
    directions: Sequence[Float[Tensor, "n g h"]], seen: Sequence[Seen], share: float
) -> tuple[Float[Tensor, "g h r"], Float[Tensor, "g r"]]:
    """The directions that choices say most about, and how much they say, of each member."""
    each = [
        torch.einsum("ngh,n,ngi->ghi", part.double(), of.weight.double(), part.double())
        for part, of in zip(directions, seen, strict=True)
    ]
    information, axes = torch.linalg.eigh(share * torch.stack(each).sum(0))
    return axes[..., -_RANK:].float().contiguous(), information[..., -_RANK:].clamp(min=0)


def _taken_off(known: Tensor, precision: float) -> Tensor:
    """What choices take off the variance that a prior of this precision has."""
    return (known / (known + precision) / precision).float().contiguous()


def moment(belief: Belief) -> Float[Tensor, "b z z"]:
    """Second moment of each user's latent."""
    factor = torch.diag_embed(belief.std) if belief.factor is None else belief.factor
    covariance = factor @ factor.mT
    return covariance + belief.mean.unsqueeze(-1) * belief.mean.unsqueeze(-2)
