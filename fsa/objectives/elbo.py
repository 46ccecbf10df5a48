"""`EvidenceLowerBound`: explain the targets by a belief that saw them, close to one that did not."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from fsa.errors import ConfigError
from fsa.objectives.objective import LossParts, Objective, mean_over_targets
from fsa.types import Belief, ChoiceBatch


class EvidenceLowerBound(Objective):
    """Minus a lower bound of the log-probability of a user's m targets given their context.

    log p(targets | context) >= E[sum of log p(target | z)] - KL(given_all || given_context), with z drawn
    from the belief given everything. The loss is minus that over m: nats per target choice, like the NLL,
    whatever m is. So with `kl_weight` 1 and no free bits, m times a user's loss bounds the joint surprise of
    the m targets from above. The bound is of the joint: it is no bound of the NLL of single targets.

    Logged: `nll` under the belief given everything, per target, which is optimistic; `kl` in nats per user;
    `active_dims`, how many dimensions have a mean KL over the batch above 0.01 nats: near 0 means that the
    belief ignores the choices.

    Args:
        kl_weight: Nats of loss per nat of KL, >= 0; larger keeps beliefs near the context's. 1 is the bound.
        free_bits: Nats of KL per user and dimension that cost nothing more than they would at this value,
            >= 0. Clamped per user, not per batch, so that a user's loss does not depend on company.

    Reference:
        [Garnelo2018] Neural processes, Eq. 9: the bound and its direction; [Poddar2024] Eq. 4: VPL;
        [Kingma2016] Sec. C.8: free bits.
    """

    needs_posterior = needs_spread = True
    active_above = 0.01

    def __init__(self, kl_weight: float = 1.0, free_bits: float = 0.0) -> None:
        super().__init__()
        if kl_weight < 0 or free_bits < 0:
            raise ValueError(f"kl_weight and free_bits must be >= 0, got {kl_weight} and {free_bits}")
        self.kl_weight, self.free_bits = kl_weight, free_bits

    def draw(
        self, given_context: Belief, given_all: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b z"]:
        return given_all.sample(noise)

    def forward(
        self, log_probs: Float[Tensor, "s b n"], target: ChoiceBatch, given_context: Belief, given_all: Belief
    ) -> LossParts:
        nll = -mean_over_targets(log_probs, target.mask).mean(0)  # [b]
        each_kl = kl_per_dimension(given_all, given_context)  # [b, z]
        charged = each_kl.clamp(min=self.free_bits).sum(-1) / target.mask.sum(-1).clamp(min=1)
        parts = {
            "nll": nll.mean(),
            "kl": each_kl.sum(-1).mean(),
            "active_dims": (each_kl.mean(0) > self.active_above).sum().to(nll.dtype),
        }
        return LossParts(
            (nll + self.kl_weight * charged).mean(), {name: part.detach() for name, part in parts.items()}
        )


def kl_per_dimension(belief: Belief, other: Belief) -> Float[Tensor, "b z"]:
    """KL(belief || other) of each latent dimension, in nats; they sum to `Belief.kl_to`.

    Raises:
        ConfigError: A belief has a covariance that is not diagonal.
    """
    if belief.factor is not None or other.factor is not None:
        raise ConfigError("the evidence lower bound needs beliefs of diagonal covariance; use the NLL")
    flat = [Belief(part.mean.reshape(-1, 1), part.std.reshape(-1, 1)) for part in (belief, other)]
    return flat[0].kl_to(flat[1]).reshape(belief.mean.shape)
