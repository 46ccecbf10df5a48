"""`HiddenState`: last attended hidden state or masked mean of a frozen Hugging Face backbone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import transformers
from jaxtyping import Float32

from fsa.backbones import quiet_loading
from fsa.errors import FeatureError
from fsa.features.buckets import padded
from fsa.features.pooling import POOLINGS, pool
from fsa.features.rendering import Rendered, Template
from fsa.features.stored import StoredFeatures
from fsa.features.tokens import Tokens, chat_of, tokenize
from fsa.types import Text

_LAYOUT = "fsa.hidden_state.1"  # in the fingerprint: raise it when the same arguments give other vectors


class HiddenState(StoredFeatures):
    """One vector per (prompt, response), computed once and kept as `StoredFeatures` says.

    Args:
        backbone: "minilm" (384 wide), "gemma-270m" (640 wide), a hub id, or a folder.
        pooling: Masked "mean" over the tokens, the "last" attended one, or both side by side (twice as wide).
        reads: "response", "prompt+response", or a template; see `Template`.
        running: How the backbone is run; see `StoredFeatures`.

    Raises:
        FeatureError: An argument is not what it may be.

    Example:
        >>> HiddenState("minilm", reads="response").extract([""], ["a happy dog"]).shape  # doctest: +SKIP
        (1, 384)
    """

    computes: ClassVar[str] = "Features"

    def __init__(
        self,
        backbone: str = "minilm",
        pooling: Literal["last", "mean", "last+mean"] = "mean",
        reads: str = "prompt+response",
        **running: Any,
    ) -> None:
        super().__init__(backbone, **running)
        if pooling not in POOLINGS:
            raise FeatureError(f"pooling is {pooling!r}; it is one of {', '.join(POOLINGS)}")
        self._plain = Template(reads)
        self.pooling, self.reads = pooling, reads
        self._computed = {
            "layout": _LAYOUT,
            "template": list(self._plain.parts),
            "named_template": reads in ("response", "prompt+response"),
            "pooling": pooling,
        }

    @property
    def width(self) -> int:
        return int(self._config.hidden_size) * len(self.pooling.split("+"))

    def tokens(self, prompts: Sequence[Text], responses: Sequence[Text]) -> list[Tokens]:
        """The tokens that are read of each prompt with its response."""
        return self._tokenize(self._render(prompts, responses))

    def _render(self, prompts: Sequence[Text], responses: Sequence[Text]) -> list[Rendered]:
        return self._template.render_all(prompts, responses)

    def _tokenize(self, texts: list[Rendered]) -> list[Tokens]:
        return tokenize(self._tokenizer, texts, max_tokens=self._max_tokens)

    def _run(self, batch: list[Tokens]) -> Float32[np.ndarray, "m d"]:
        rows = padded([tokens.ids for tokens in batch], self._tokenizer.pad_token_id or 0)
        with torch.inference_mode():
            ids, mask = (part.to(self.torch_device) for part in rows)
            hidden = self._model(ids, attention_mask=mask).last_hidden_state
            return pool(hidden, mask, self.pooling).cpu().numpy()

    @cached_property
    def _template(self) -> Template:
        # Of a template of one's own no tokenizer knows.
        return (
            Template(self.reads, chat_of(self._tokenizer)) if self.reads == "prompt+response" else self._plain
        )

    @cached_property
    def _model(self) -> Any:
        dtype = getattr(torch, self.dtype)
        with quiet_loading():
            model = transformers.AutoModel.from_pretrained(
                self._folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
            )
        model.config.use_cache = False
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        return model.eval().requires_grad_(False).to(self.torch_device)
