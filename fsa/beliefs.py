"""What is believed about each user; the axes' letters are those of `fsa.types`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.batches import ChoiceBatch, TensorRecord
from fsa.errors import ConfigError, ShapeError
from fsa.mixtures import Mixture


@dataclass(frozen=True)
class Belief(TensorRecord):
    """What is believed about each user: a Gaussian whose spread may be zero (a point), or a mixture.

    Attributes:
        mean: Centre of the belief.
        std: Spread, >= 0; all zeros make it a point.
        factor: A matrix F of each user's covariance F F', where it is not diagonal; None where it is.
        memory: The choices themselves, for scorers that read them (`Scorer.reads_memory`); None where the
            encoder kept nothing but the belief.
        mixture: The belief whole, where it is more than one Gaussian; mean, std and factor are its own.
        seen: Choices that it was read from, each as much as it counts; None where the encoder does not say.
    """

    mean: Float[Tensor, "b z"]
    std: Float[Tensor, "b z"]
    memory: ChoiceBatch | None = None
    factor: Float[Tensor, "b z z"] | None = None
    mixture: Mixture | None = None
    seen: Float[Tensor, " b"] | None = None

    def __post_init__(self) -> None:
        if self.mean.shape != self.std.shape:
            raise ShapeError(f"belief has mean {list(self.mean.shape)} but std {list(self.std.shape)}")

    @classmethod
    def point(cls, mean: Float[Tensor, "b z"]) -> Belief:
        """A belief without doubt."""
        return cls(mean, torch.zeros_like(mean))

    @classmethod
    def of_factor(cls, mean: Float[Tensor, "b z"], factor: Float[Tensor, "b z z"]) -> Belief:
        """A Gaussian of covariance F F'."""
        return cls(mean, factor.square().sum(-1).sqrt(), factor=factor)

    @classmethod
    def of_mixture(cls, mixture: Mixture) -> Belief:
        """A mixture of Gaussians; of a single one, that Gaussian."""
        gaussian = cls.of_factor(*mixture.moments())
        return gaussian if mixture.means.shape[1] == 1 else replace(gaussian, mixture=mixture)

    def spread_by(self, by: Tensor) -> Belief:
        """The same centre, and all that lies around it times a factor."""
        factor = None if self.factor is None else self.factor * by
        mixture = self.mixture and self.mixture.spread_by(by, self.mean)
        return replace(self, std=self.std * by, factor=factor, mixture=mixture)

    def std_along(self, direction: Float[Tensor, "*rows z"]) -> Float[Tensor, "*rows"]:
        """Standard deviation of z . direction under each user's belief; users come first."""
        return root(self.variance_along(direction))

    def variance_along(self, direction: Float[Tensor, "*rows z"]) -> Float[Tensor, "*rows"]:
        """Variance of z . direction under each user's belief; users come first."""
        if self.factor is None:
            scaled = torch.einsum("b...z,bz->b...z", direction, self.std)
        else:
            scaled = torch.einsum("b...z,bzy->b...y", direction, self.factor)
        return scaled.square().sum(-1)

    def sample(self, noise: Float[Tensor, "s b z"]) -> Float[Tensor, "s b z"]:
        """Latents drawn from the belief: mean + std * noise, or mean + F noise where there is a factor F.

        Differentiable in mean and spread; a point gives its mean, a mixture the Gaussian of its mean and
        covariance (`Mixture.sample` draws from the whole).

        Args:
            noise: Standard normal numbers.
        """
        noise = noise.to(self.mean.dtype)
        if self.factor is not None:
            return self.mean + torch.einsum("bzy,sby->sbz", self.factor, noise.expand(-1, len(self.mean), -1))
        return self.mean + self.std * noise

    def kl_to(self, other: Belief) -> Float[Tensor, " b"]:
        """KL(self || other) per user, in nats.

        Raises:
            ConfigError: Either belief is a point, from or to which no finite KL exists, or has a covariance
                that is not diagonal.
        """
        if self.factor is not None or other.factor is not None:
            raise ConfigError(
                "KL is of diagonal beliefs; this encoder's covariance is not diagonal (use NLL)"
            )
        if not (self.std > 0).all() or not (other.std > 0).all():
            raise ConfigError(
                "KL needs beliefs with a spread; a point belief has none (use NLL, or a Gaussian belief)"
            )
        ratio = self.std / other.std
        shift = (self.mean - other.mean) / other.std
        return 0.5 * (ratio.square() + shift.square() - 1 - 2 * ratio.log()).sum(-1)


def root(square: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows"]:
    """Square root whose gradient at 0, where a root has none, is 0."""
    return torch.where(square > 0, square.clamp(min=torch.finfo(square.dtype).tiny).sqrt(), 0)
