"""`LengthNormalisedPolicy`: a policy as a reward, by how far it raises each response a token."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from fsa.models.policy import PolicyScorer
from fsa.types import TokenRows


class LengthNormalisedPolicy(PolicyScorer):
    """`PolicyScorer` with the log-ratio divided by the response's tokens, its end included.

    A long response has more tokens to gain on, so that sums favour what moves long ones; means do not. `beta`
    is then nats of reward per nat a token: about as many times larger as responses have tokens.

    Reference:
        [Meng2024] Sec. 2.2: length-normalised rewards, there without a reference.
        [Lambert2024] Sec. 5.1: DPO on them.
    """

    def score_rows(self, block: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, "m p"]:
        return super().score_rows(block, z) / block.is_response.sum(1, keepdim=True)
