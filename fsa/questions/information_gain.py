"""`InformationGain`: how much an answer is expected to say about the person."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition, entropy


class InformationGain(Acquisition):
    """Mutual information of answer and belief.

    That is the doubt about the answer, less the doubt that would be left if the person were known: a pair on
    which all people are undecided is worth nothing, however even it is.

    Reference:
        [Houlsby2011] Bayesian active learning by disagreement (BALD), Eq. 2.
    """

    needs_doubt: ClassVar[bool] = True

    def worth(self, first: Float[Tensor, "s q"], weight: Float[Tensor, " s"]) -> Float[Tensor, " q"]:
        # Below 0 it can only be by rounding.
        return (entropy(weight @ first) - weight @ entropy(first)).clamp(min=0)

    def why(self, worth: float, chance: float) -> str:
        return (
            f"the answer is expected to say {worth:.3f} nats about the person, no other pair more; the first "
            f"option is picked with a probability of {chance:.0%}"
        )
