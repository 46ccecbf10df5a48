"""`Mixture`: weighted Gaussians of one covariance; the axes' letters are those of `fsa.types`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.batches import TensorRecord

_HALVINGS, _STEPS = 30, 2  # of an interval in which a quantile lies, then Newton's: to the last digits


@dataclass(frozen=True)
class Mixture(TensorRecord):
    """What is believed about each user as kinds of people: **m** components.

    Attributes:
        log_weight: Log-probability of each component; their exponentials sum to 1.
        means: Centre of each component.
        factor: A matrix F of the covariance F F' that all components of a user have.
    """

    log_weight: Float[Tensor, "b m"]
    means: Float[Tensor, "b m z"]
    factor: Float[Tensor, "b z z"]

    def spread_by(self, by: Tensor, centre: Float[Tensor, "b z"]) -> Mixture:
        """All that lies around a centre times a factor, components and what is within them."""
        centre = centre.unsqueeze(1)
        return Mixture(self.log_weight, centre + by * (self.means - centre), by * self.factor)

    def moments(self) -> tuple[Float[Tensor, "b z"], Float[Tensor, "b z z"]]:
        """Mean, and a factor of the whole covariance."""
        weight = self.log_weight.exp().unsqueeze(-1)  # [b, m, 1]
        mean = (weight * self.means).sum(1)
        if self.means.shape[1] == 1:
            return mean, self.factor
        apart = (self.means - mean.unsqueeze(1)) * (self.log_weight / 2).exp().unsqueeze(-1)
        return mean, torch.linalg.cholesky(self.factor @ self.factor.mT + apart.mT @ apart)

    def along(
        self, direction: Float[Tensor, "b *rows z"]
    ) -> tuple[Float[Tensor, "b *rows m"], Float[Tensor, " b *rows"]]:
        """Mean of z . direction in each component, and its variance, which is the same in all of them."""
        rows = direction.flatten(1, -2)  # [b, r, z]
        variance = (rows @ self.factor).square().sum(-1)
        return (rows @ self.means.mT).unflatten(1, direction.shape[1:-1]), variance.unflatten(
            1, direction.shape[1:-1]
        )

    def sample(self, noise: Float[Tensor, "s b z"]) -> tuple[Float[Tensor, "s b z"], Float[Tensor, "s b"]]:
        """Latents, and the log of the weight that each has: equal, but with the gradient of the components'.

        Sample i lies in the component that holds the fraction (i + 1/2) / s of the weight, so that each
        component has its share of samples, or one more or less.

        Args:
            noise: Standard normal numbers.

        Reference:
            Systematic resampling; the weight's gradient is that of [Mohamed2020] Eq. 13 (score function).
        """
        fraction = (torch.arange(len(noise)).to(self.means) + 0.5) / len(noise)
        below = self.log_weight.detach().exp().cumsum(-1)
        which = torch.searchsorted(below, fraction.repeat(len(below), 1)).clamp(max=below.shape[1] - 1)
        log_weight = self.log_weight.gather(1, which)  # [b, s]
        centre = self.means.gather(1, which.unsqueeze(-1).expand(-1, -1, self.means.shape[-1]))
        around = torch.einsum("bzy,sby->sbz", self.factor, noise.to(self.means).expand(-1, len(below), -1))
        return centre.transpose(0, 1) + around, (log_weight - log_weight.detach()).T

    @torch.no_grad()
    def quantiles(
        self,
        direction: Float[Tensor, "b *rows z"],
        fractions: Sequence[float],
        more: Float[Tensor, " b *rows"] | None = None,
    ) -> Float[Tensor, "f b *rows"]:
        """The values that z . direction is below with these probabilities, 0-1 exclusive.

        Args:
            direction: What the latent is multiplied by.
            fractions: The probabilities.
            more: Variance of normal noise that is added.
        """
        means, variance = self.along(direction)
        variance = variance if more is None else variance + more
        wanted = means.new_tensor(fractions).view(-1, *[1] * variance.ndim)  # [f, 1 ...]
        std = variance.sqrt().unsqueeze(-1)
        weight = self.log_weight.exp().view(len(means), *[1] * (means.ndim - 2), -1)
        # Every component has its own quantile; the mixture's lies among them.
        own = means + std * torch.special.ndtri(wanted).unsqueeze(-1)
        low, high, std = own.amin(-1), own.amax(-1), std.clamp(min=1e-300)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = (weight * torch.special.ndtr((middle.unsqueeze(-1) - means) / std)).sum(-1) < wanted
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        value = (low + high) / 2
        for _ in range(_STEPS):
            apart = (value.unsqueeze(-1) - means) / std
            density = (weight * torch.exp(-apart.square() / 2) / (std * math.sqrt(2 * math.pi))).sum(-1)
            missing = wanted - (weight * torch.special.ndtr(apart)).sum(-1)
            step = missing / density.clamp(min=1e-300)
            value = torch.minimum(torch.maximum(value + step, low), high)
        return value
