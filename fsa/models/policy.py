"""`PolicyScorer`: a policy as a reward, by how far it raises each response over the reference."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ConfigError, ShapeError
from fsa.log_probs import response_divergence, response_log_probs
from fsa.models.language_scorer import LanguageScorer
from fsa.types import TokenRows


class PolicyScorer(LanguageScorer):
    """Rewards that a steered policy implies: beta times its log-ratio to the reference.

    The reference is the same weights with the adapters off. Its log-probabilities come with the tokens, so a
    training step runs the policy alone.

    Args:
        d_feature: Not used: the options come as tokens.
        d_belief: Width of the belief.
        beta: Nats of reward per nat of log-ratio, > 0. Larger keeps the policy closer to the reference.
        model: Arguments of `LanguageScorer`: `backbone`, `conditioning`, `rank` and so on.

    Raises:
        ConfigError: `beta` is not above 0.

    Reference:
        [Rafailov2023] Sec. 4, Eq. 5: the reward; Eq. 7 follows with the Bradley-Terry-Luce likelihood.
        [Kobalczyk2024] NP-DPO: the policy depends on z.
    """

    needs_reference: ClassVar[bool] = True

    def __init__(self, d_feature: int, d_belief: int, *, beta: float = 0.1, **model: Any) -> None:
        if beta <= 0:
            raise ConfigError(f"beta is {beta}; it scales the log-ratio and is above 0")
        super().__init__(d_feature, d_belief, **model)
        self.beta = beta

    def score_rows(self, block: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, "m p"]:
        model = self.language_model
        log_probs = response_log_probs(model.hidden(block.ids, block.mask, z), model.head, block)
        return implicit_rewards(log_probs, block.reference, self.beta)

    @torch.no_grad()
    def reference(self, tokens: TokenRows) -> Float[Tensor, " m"]:
        """Log-probability of each response with the adapters off, in nats."""
        model = self.language_model
        return torch.cat(
            [
                response_log_probs(model.reference_hidden(block.ids, block.mask), model.head, block)
                for _, _, block in tokens.each_block()
            ]
        )

    def divergence(self, tokens: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, " m"]:
        """How far each response's next tokens are from the reference's: KL divergence from the reference to
        the policy, in nats, summed over tokens.

        Args:
            tokens: The rows.
            z: The latent of each row.

        Reference:
            [LiHoiem2016] Sec. 3: what a model said before is kept by its own outputs; here all of them.
        """
        model = self.language_model
        return torch.cat(
            [
                response_divergence(
                    model.hidden(block.ids, block.mask, z[first:last]),
                    model.reference_hidden(block.ids, block.mask),
                    model.head,
                    block,
                )
                for first, last, block in tokens.each_block()
            ]
        )


def implicit_rewards(
    log_probs: Float[Tensor, " m"], reference: Float[Tensor, " m"], beta: float
) -> Float[Tensor, "m 1"]:
    """Reward a policy implies for each response, up to a constant per prompt.

    The constant (the prompt's log-partition) cancels between options of one prompt: feed these to a
    likelihood, and never compare them across prompts.

    Args:
        log_probs: Of whole responses under the policy, summed over tokens, in nats.
        reference: The same under the reference.
        beta: Nats of reward per nat of log-ratio.

    Raises:
        ShapeError: The two are of different responses.

    Reference:
        [Rafailov2023] Sec. 4, Eq. 5.

    Example:
        >>> implicit_rewards(torch.tensor([-2.0, -5.0]), torch.tensor([-3.0, -4.0]), beta=0.1).flatten()
        tensor([ 0.1000, -0.1000])
    """
    if log_probs.shape != reference.shape:
        raise ShapeError(
            f"log_probs are of {list(log_probs.shape)} responses, reference of {list(reference.shape)}"
        )
    return (beta * (log_probs - reference)).unsqueeze(-1)
