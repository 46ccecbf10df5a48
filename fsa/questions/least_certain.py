"""`LeastCertain`: the pair with the least predictable answer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition, entropy


class LeastCertain(Acquisition):
    """Doubt about the answer, whatever it comes from.

    It cannot tell a person who is not known from one who is undecided, but needs no more than a point belief.

    Reference:
        [Lewis1994] A sequential algorithm for training text classifiers: uncertainty sampling.
    """

    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        return entropy(weight @ first)

    def why(self, worth: float, chance: float) -> str:
        return f"no answer is less certain: the first option is picked with a probability of {chance:.0%}"
