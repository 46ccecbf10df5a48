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
        population, taste: Directions in either map.
        latent: Second moment of each person's latent.
        weight: Information of each choice about its log-odds, p (1 - p), 0-0.25.
    """

    population: Float[Tensor, "n f"]
    taste: Float[Tensor, "n f"]
    latent: Float[Tensor, "n z z"]
    weight: Float[Tensor, " n"]


class TextDoubt(nn.Module):
    """Variance of a reward population(x) + z . taste(x) over the weights of both maps' last layers.

    The posterior of the weights is Laplace's: precision of their prior plus the information of the training
    choices, which for the taste map is taken to be the product of one matrix for latents and one for
    features. Without `fit` there is no doubt.

    Args:
        precisions: Of the Gaussian priors over the weights of the population's and the taste's map, > 0.

    Reference:
        [Ritter2018] A scalable Laplace approximation for neural networks: the product of two factors;
        [MacKay1992] Sec. 2: the variance of an output by that of the weights.
    """

    _NAMES = ("population_axes", "population_known", "taste_axes", "taste_known", "latent_axes")
    population_axes: Float[Tensor, "f r"] | None
    population_known: Float[Tensor, " r"] | None
    taste_axes: Float[Tensor, "f r"] | None
    taste_known: Float[Tensor, "z r"] | None
    latent_axes: Float[Tensor, "z z"] | None
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
        share = num_choices / sum(len(part.weight) for part in seen)
        latent = torch.cat([part.latent.double() for part in seen]).mean(0)
        of_latent, axes = torch.linalg.eigh(latent)
        for name, precision, side in zip(
            ("population", "taste"), self.precisions, (torch.ones(1, 1), of_latent.unsqueeze(1)), strict=True
        ):
            parts = [getattr(part, name).double() for part in seen]
            weighed = [p.T @ (p * part.weight.unsqueeze(1)) for p, part in zip(parts, seen, strict=True)]
            information, directions = torch.linalg.eigh(share * torch.stack(weighed).sum(0))
            most = information[-_RANK:].clamp(min=0) * side.clamp(min=0)  # [1 or z, r]
            known = most / (most + precision) / precision  # what is taken off the prior's variance
            setattr(self, f"{name}_axes", directions[:, -_RANK:].float().contiguous())
            setattr(self, f"{name}_known", (known[0] if name == "population" else known).float().contiguous())
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
        self, population: Float[Tensor, "b *rows f"], taste: Float[Tensor, "b *rows f"], belief: Belief
    ) -> Float[Tensor, " b *rows"] | None:
        """In nats squared, along directions of both maps' hidden units; None without a fit."""
        fitted = [getattr(self, name) for name in self._NAMES]
        if any(each is None for each in fitted):
            return None
        population_axes, population_known, taste_axes, taste_known, axes = (e.to(taste) for e in fitted)
        of_population, of_taste = self.precisions if self.prior is None else self.prior.to(taste)
        shared = population.square().sum(-1) / of_population
        shared = shared - (population @ population_axes).square() @ population_known
        latent = ((axes.T @ moment(belief).to(taste)) * axes.T).sum(-1)  # of each of its axes, [b, z]
        known = latent @ taste_known  # [b, r]
        turned = (taste @ taste_axes).square()
        own = taste.square().sum(-1) * _beside(latent.sum(-1), taste) / of_taste
        return (shared + own - torch.einsum("b...r,br->b...", turned, known)).clamp(min=0)


def moment(belief: Belief) -> Float[Tensor, "b z z"]:
    """Second moment of each user's latent."""
    factor = torch.diag_embed(belief.std) if belief.factor is None else belief.factor
    covariance = factor @ factor.mT
    return covariance + belief.mean.unsqueeze(-1) * belief.mean.unsqueeze(-2)


def _beside(values: Float[Tensor, " b"], rows: Tensor) -> Tensor:
    """One number a user, shaped to multiply rows."""
    return values.view(-1, *[1] * (rows.ndim - 2))
