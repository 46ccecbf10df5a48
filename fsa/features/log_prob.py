"""`LogProb`: log-probability of a response under a frozen language model; the reference of a policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
import transformers
from jaxtyping import Float, Float32
from torch import Tensor

from fsa.backbones import quiet_loading
from fsa.features.buckets import padded
from fsa.features.response_tokens import Exchange, Exchanges, ResponseTokens
from fsa.features.stored import StoredFeatures
from fsa.log_probs import check_head, response_log_probs
from fsa.types import Text, TokenRows

_LAYOUT = "fsa.log_prob.1"  # in the fingerprint: raise it when the same arguments give other numbers


class LogProb(StoredFeatures):
    """One number per (prompt, response), in nats: log p(response, its end | prompt), summed over its tokens.

    Computed once and kept under `cache_dir() / "features"`, as `HiddenState` does with vectors. Tokens are
    those of `response_tokens`.

    Args:
        backbone: "gemma-270m", a hub id, or a folder; a causal language model.
        running: How it is run; see `StoredFeatures`.

    Raises:
        ConfigError: The backbone is no causal language model, or does more than multiply by its output layer.
        FeatureError: An argument is not what it may be.

    Example:
        >>> LogProb("gemma-270m").extract(["Name a colour."], ["Red."]).shape  # doctest: +SKIP
        (1, 1)
    """

    computes: ClassVar[str] = "Log-probabilities"

    def __init__(self, backbone: str, **running: Any) -> None:
        super().__init__(backbone, **running)
        self._computed = {"layout": _LAYOUT}
        self.compute: Callable[[TokenRows], Float[Tensor, " m"]] | None = None
        """Log-probabilities of rows by a copy of the backbone that is loaded already, on its own device."""

    @property
    def width(self) -> int:
        return 1

    def _render(self, prompts: Sequence[Text], responses: Sequence[Text]) -> list[Exchange]:
        return self._exchanges.of_all(prompts, responses)

    def _tokenize(self, texts: list[Exchange]) -> list[ResponseTokens]:
        return self._exchanges.tokens(texts, self._max_tokens)

    def _run(self, batch: list[ResponseTokens]) -> Float32[np.ndarray, "m 1"]:
        rows = _rows_of(batch).to(self.torch_device)
        if self.compute is not None:
            return self.compute(rows).unsqueeze(1).cpu().numpy()
        with torch.inference_mode():
            # Padding stands on the right: no token looks at what comes after it.
            hidden = self._model.get_decoder()(rows.ids, use_cache=False).last_hidden_state
            head = self._model.get_output_embeddings().weight
            return response_log_probs(hidden, head, rows).unsqueeze(1).cpu().numpy()

    @cached_property
    def _exchanges(self) -> Exchanges:
        return Exchanges(self._tokenizer)

    @cached_property
    def _model(self) -> Any:
        dtype = getattr(torch, self.dtype)
        model: Any
        with quiet_loading():
            model = transformers.AutoModelForCausalLM.from_pretrained(
                self._folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
            )
        model = model.eval().requires_grad_(False).to(self.torch_device)
        check_head(model)
        return model


def _rows_of(batch: list[ResponseTokens]) -> TokenRows:
    ids, mask = padded([tokens.ids for tokens in batch], 0)
    start = torch.tensor([tokens.start for tokens in batch])
    m, length = ids.shape
    return TokenRows(
        ids=ids,
        mask=mask.bool(),
        is_response=mask.bool() & (torch.arange(length) >= start[:, None]),
        slot=torch.arange(m),
        reference=torch.full((m,), torch.nan),
        blocks=((0, m, length),),
        num_response=(sum(len(tokens.ids) - tokens.start for tokens in batch),),
    )
