"""`NextToken`: how well a language model predicts each next token of a batch."""

from __future__ import annotations

from typing import Any

import transformers
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from fsa.conditioning.conditioning import decoder_blocks
from fsa.log_probs import check_head, token_log_probs


class NextToken(nn.Module):
    """Negative log-likelihood of the tokens that count, with never more than a chunk of logits in memory.

    Args:
        model: A causal language model whose output layer is one matrix, without bias or cap.
        chunk: Tokens whose logits exist at once; the default suits the device.
        gradient_checkpointing: Compute activations again in the backward pass: less memory, a third slower.

    Raises:
        ConfigError: The logits are not hidden states times the output layer, or depend on later tokens.
    """

    def __init__(
        self,
        model: transformers.PreTrainedModel,
        chunk: int | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.chunk = model, chunk
        check_head(model)
        if gradient_checkpointing:
            enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
            enable({"use_reentrant": False})

    def forward(self, ids: Int[Tensor, "m l"], counts: Bool[Tensor, "m l"]) -> Float[Tensor, ""]:
        """Negative log-likelihood of all tokens that count, in nats, summed.

        Args:
            ids: Token ids, padded on the right: no token looks at what comes after it, so nothing is masked.
            counts: True where a token counts; the first of a row never does, as nothing predicts it.
        """
        after_norm = self.model.base_model(ids, use_cache=False).last_hidden_state
        hidden: Tensor = after_norm[:, :-1]  # position t - 1 predicts token t
        counted = counts[:, 1:]
        weight: Any = self.model.get_output_embeddings().weight
        return -token_log_probs(hidden[counted], weight, ids[:, 1:][counted], chunk=self.chunk).sum()

    def shard_units(self) -> list[nn.Module]:
        """The decoder blocks: FSDP2 gathers the weights of one at a time."""
        return decoder_blocks(self.model)
