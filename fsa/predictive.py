"""`Predictive`: scores at atoms of a belief, to average probabilities over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Predictive:
    """Scores of options at **s** atoms of what is believed: latents, quantiles or components.

    The axes' letters are those of `fsa.types`.

    Attributes:
        scores: Score of every option at every atom.
        log_weight: Log-probability of each atom, whose exponentials sum to 1; None where all are equal.
        members: Of an ensemble, in equal parts of the atoms and of their weight.
    """

    scores: Float[Tensor, "s b n k p"]
    log_weight: Float[Tensor, "s b n"] | None = None
    members: int = 1

    def log_mean(self, log_probs: Float[Tensor, "s b n"]) -> Float[Tensor, "b n"]:
        """Log of the mean probability, of its log at every atom."""
        return self.evenly(log_probs).logsumexp(0) - math.log(len(log_probs))

    def evenly(self, log_probs: Float[Tensor, "s b n"]) -> Float[Tensor, "s b n"]:
        """Logs of which the plain mean of exponentials is the weighted mean of those given."""
        return (
            log_probs if self.log_weight is None else log_probs + self.log_weight + math.log(len(log_probs))
        )

    def mean(self, probabilities: Float[Tensor, "s b n k"]) -> Float[Tensor, "b n k"]:
        """Mean of probabilities at every atom."""
        if self.log_weight is None:
            return probabilities.mean(0)
        return (probabilities * self.log_weight.exp().unsqueeze(-1)).sum(0)

    def where(self, mine: Bool[Tensor, "b n"], other: Predictive) -> Predictive:
        """The atoms of one predictive for some choices and those of another for the rest."""
        s = max(len(self.scores), len(other.scores))
        if self.log_weight is None and other.log_weight is None and len(self.scores) == len(other.scores):
            return Predictive(torch.where(mine[..., None, None], self.scores, other.scores))
        return Predictive(
            torch.where(mine[..., None, None], _padded(self.scores, s, 0), _padded(other.scores, s, 0)),
            torch.where(mine, self._log_weight(s), other._log_weight(s)),
        )

    def _log_weight(self, s: int) -> Float[Tensor, "s b n"]:
        """Of s atoms, those beyond one's own without weight."""
        mine = self.log_weight
        if mine is None:
            mine = self.scores.new_full(self.scores.shape[:3], -math.log(len(self.scores)))
        return _padded(mine, s, -torch.inf)


def _padded(values: Tensor, s: int, value: float) -> Tensor:
    return functional.pad(values, [0, 0] * (values.ndim - 1) + [0, s - len(values)], value=value)


def normal_atoms(number: int) -> Float[Tensor, " s"]:
    """Atoms of equal weight that stand for a standard normal, of mean 0 and variance 1."""
    middle = (torch.arange(number, dtype=torch.float64) + 0.5) / number
    atoms = torch.special.ndtri(middle)
    return atoms / atoms.square().mean().sqrt().clamp(min=1e-9)
