"""`Acquisition`: what each of some pairs is worth asking about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Acquisition(ABC):
    """Base of all acquisition functions.

    A belief is seen at **s** atoms, each with its weight; worth depends on nothing but how likely the first
    option of each pair is to be picked at each of them, and not on which option comes first.

    Attributes:
        needs_doubt: Whether it says nothing about a point belief, of which all atoms are one.
        in_nats: Whether worth is in nats; else only its order means something.
    """

    needs_doubt: ClassVar[bool] = False
    in_nats: ClassVar[bool] = True

    def deciding(self, best: Int[Tensor, " s"]) -> Acquisition:
        """The same, told which of the responses at hand is best at each atom of the belief."""
        return self

    @abstractmethod
    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        """Worth of each pair, larger is better.

        Args:
            first: Probability, 0-1, that the first option is picked, at each atom of the belief.
            weight: Probability of each atom; they sum to 1.
        """

    @abstractmethod
    def why(self, worth: float, chance: float) -> str:
        """A sentence on why the best pair was taken.

        Args:
            worth: What it is worth.
            chance: Probability that its first option is picked, over the whole belief.
        """


def entropy(chance: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows"]:
    """Doubt about an event of these probabilities, in nats: 0 for a certain one, log 2 for an even one."""
    return torch.special.entr(chance) + torch.special.entr(1 - chance)
