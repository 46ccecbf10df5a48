"""`NextToken`: how well a language model predicts each next token of a batch."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from fsa.conditioning.conditioning import decoder_blocks
from fsa.errors import ConfigError
from fsa.log_probs import token_log_probs

_CLOSE = 1e-3  # nats; what a different order of sums may cost, far below what a cap or a bias changes


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
        self, model: PreTrainedModel, chunk: int | None = None, gradient_checkpointing: bool = False
    ) -> None:
        super().__init__()
        self.model, self.chunk = model, chunk
        _check(model)
        if gradient_checkpointing:
            enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
            enable({"use_reentrant": False})

    def forward(self, ids: Int[Tensor, "m l"], counts: Bool[Tensor, "m l"]) -> Float[Tensor, ""]:
        """Negative log-likelihood of all tokens that count, in nats, summed.

        Args:
            ids: Token ids, padded on the right: no token looks at what comes after it, so nothing is masked.
            counts: True where a token counts; the first of a row never does, as nothing predicts it.
        """
        hidden = _hidden(self.model, ids)[:, :-1]  # position t - 1 predicts token t
        counted = counts[:, 1:]
        weight: Any = self.model.get_output_embeddings().weight
        return -token_log_probs(hidden[counted], weight, ids[:, 1:][counted], chunk=self.chunk).sum()

    def shard_units(self) -> list[nn.Module]:
        """The decoder blocks: FSDP2 gathers the weights of one at a time."""
        return decoder_blocks(self.model)


def _hidden(model: Any, ids: Int[Tensor, "m l"]) -> Float[Tensor, "m l d"]:
    hidden: Tensor = model.base_model(ids, use_cache=False).last_hidden_state  # after the last norm
    return hidden


@torch.no_grad()
def _check(model: Any) -> None:
    head, name = model.get_output_embeddings(), type(model).__name__
    if not isinstance(head, nn.Linear):
        raise ConfigError(f"{name} has no linear output layer, came {type(head).__name__}")
    was_training = model.training
    model.eval()
    ids = torch.arange(4).reshape(1, 4) % head.weight.shape[0]
    changed = ids.clone()
    changed[0, -1] = 0
    own = model(input_ids=ids, use_cache=False).logits.float()
    ours, other = ((_hidden(model, rows) @ head.weight.T).float() for rows in (ids, changed))
    model.train(was_training)
    near = _CLOSE * max(1.0, float(own.abs().max()))
    if float((ours - other)[:, :-1].abs().max()) > near:
        raise ConfigError(
            f"{name} reads later tokens to predict earlier ones; it is no causal language model"
        )
    gap = float((own - ours).abs().max())
    if gap > near:
        raise ConfigError(
            f"{name}: its logits differ by {gap:.3g} from hidden states times the output layer; a model "
            "whose output layer has a bias, a cap or a scale is not trained here"
        )
