"""`HiddenState`: last attended hidden state or masked mean of a frozen Hugging Face backbone."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from fsa.backbones import backbone_hash, resolve
from fsa.errors import FeatureError
from fsa.features.buckets import length_buckets, pad_right
from fsa.features.extractor import FeatureExtractor
from fsa.features.pooling import POOLINGS, pool
from fsa.features.progress import SlowBar
from fsa.features.rendering import Rendered, Template, parts_of
from fsa.features.store import FeatureStore
from fsa.features.tokens import Tokens, chat_of, tokenize
from fsa.paths import cache_dir
from fsa.types import Numbers, Text

_LAYOUT = "fsa.hidden_state.1"  # in the fingerprint: raise it when the same arguments give other vectors
_CHUNK = 8192  # texts whose token ids are held at once


class HiddenState(FeatureExtractor):
    """One vector per (prompt, response), computed once and kept under `cache_dir() / "features"`.

    Cheap to make: the backbone is found, hashed and loaded when first needed. A text is never padded to a
    fixed length, and one that comes twice is computed once. Over-long text is cut from the left of the prompt
    (then from the right of the response), counted in `num_cut`, and warned of once.

    Args:
        backbone: "minilm" (384 wide), "gemma-270m" (640 wide), a hub id, or a folder.
        pooling: Masked "mean" over the tokens, the "last" attended one, or both side by side (twice as wide).
        reads: "response", "prompt+response", or a template; see `Template`.
        max_tokens: Most tokens of a text, special ones counted; a backbone that takes fewer lowers it.
        batch_tokens: Tokens in a batch with its padding. Fastest on two CPU cores; on a GPU larger is faster.
        dtype: Of the weights. "bfloat16" halves memory; vectors then vary with their batch, third digit.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        store: Keep vectors on the disk, and look there first.

    Raises:
        FeatureError: An argument is not what it may be.

    Example:
        >>> HiddenState("minilm", reads="response").extract([""], ["a happy dog"]).shape  # doctest: +SKIP
        (1, 384)
    """

    def __init__(
        self,
        backbone: str = "minilm",
        pooling: Literal["last", "mean", "last+mean"] = "mean",
        reads: str = "prompt+response",
        max_tokens: int = 512,
        batch_tokens: int = 2048,
        dtype: Literal["float32", "bfloat16"] = "float32",
        device: str = "auto",
        store: bool = True,
    ) -> None:
        for name, value, allowed in (
            ("pooling", pooling, POOLINGS),
            ("dtype", dtype, ("float32", "bfloat16")),
        ):
            if value not in allowed:
                raise FeatureError(f"{name} is {value!r}; it is one of {', '.join(allowed)}")
        for name, number in (("max_tokens", max_tokens), ("batch_tokens", batch_tokens)):
            if number < 1:
                raise FeatureError(f"{name} is {number}; it is 1 or more")
        parts_of(reads)
        self.backbone, self.pooling, self.reads = backbone, pooling, reads
        self.max_tokens, self.batch_tokens = max_tokens, batch_tokens
        self.dtype, self.device, self.store = dtype, device, store
        self._cut: set[bytes] = set()
        self._warned = False

    @property
    def fingerprint(self) -> str:
        return hashlib.blake2b(json.dumps(self._about, sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def width(self) -> int:
        return int(self._config.hidden_size) * len(self.pooling.split("+"))

    @property
    def num_cut(self) -> int:
        """Different texts seen so far that were too long."""
        return len(self._cut)

    @cached_property
    def backbone_hash(self) -> str:
        """sha256 of the backbone's weights, configuration and tokenizer."""
        return backbone_hash(self._folder)

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        rendered = [self._render(*pair) for pair in zip(prompts, responses, strict=True)]
        if not rendered:
            return np.zeros((0, self.width), np.float32)
        names = np.array([text.key() for text in rendered], "V16")
        _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
        keys = names[first].view(np.uint8).reshape(-1, 16)
        rows = self._look_up(keys, [rendered[place] for place in first], progress)  # [unique, d + 1]
        self._count_cut(keys, rows[:, -1])
        return rows[inverse, :-1]

    def _look_up(self, keys: NDArray[np.uint8], texts: list[Rendered], progress: bool) -> NDArray[np.float32]:
        """A row per text: its vector, then how many tokens were cut. From the store where it is known."""
        if self._store is None:
            found, rows = np.zeros(len(keys), bool), np.zeros((len(keys), self.width + 1), np.float32)
        else:
            found, rows = self._store.get(keys)
        missing = np.flatnonzero(~found)
        with SlowBar(f"Features ({self.backbone})", len(missing), enabled=progress) as bar:
            for places, batch in self._batches(missing, texts):
                vectors = self._run([tokens.ids for tokens in batch])
                rows[places, :-1], rows[places, -1] = vectors, [tokens.num_cut for tokens in batch]
                if self._store is not None:
                    self._store.append(keys[places], rows[places])
                bar.advance(len(batch), sum(len(tokens.ids) for tokens in batch))
        return rows

    def _batches(
        self, missing: NDArray[np.int64], texts: list[Rendered]
    ) -> Iterator[tuple[NDArray[np.int64], list[Tokens]]]:
        """Batches of texts of nearly one length, with their places in `texts`."""
        for start in range(0, len(missing), _CHUNK):
            places = missing[start : start + _CHUNK]
            limit = self._max_tokens
            tokens = tokenize(self._tokenizer, [texts[place] for place in places], max_tokens=limit)
            for batch in length_buckets([len(each.ids) for each in tokens], self.batch_tokens):
                yield places[batch], [tokens[row] for row in batch]

    def _run(self, rows: list[NDArray[np.int64]]) -> Float32[np.ndarray, "m d"]:
        """One forward pass."""
        ids, mask = pad_right(rows, self._tokenizer.pad_token_id or 0)
        with torch.inference_mode():
            attended = torch.from_numpy(mask).to(self._device)
            hidden = self._model(
                torch.from_numpy(ids).to(self._device), attention_mask=attended
            ).last_hidden_state
            vectors = pool(hidden, attended, self.pooling).cpu().numpy()
        if not np.isfinite(vectors).all():
            raise FeatureError(
                f"backbone {self.backbone!r} gave features that are not finite, as {self.dtype}"
            )
        return vectors

    def _render(self, prompt: Text, response: Text | Numbers) -> Rendered:
        if not isinstance(response, str) and any(isinstance(part, int | float) for part in response):
            raise FeatureError(f"a response is numbers, {response}; HiddenState reads text (use Numeric)")
        return self._template.render(prompt, response)  # type: ignore[arg-type]

    def _count_cut(self, keys: NDArray[np.uint8], num_cut: NDArray[np.float32]) -> None:
        self._cut.update(key.tobytes() for key in keys[num_cut > 0])
        if self._cut and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.num_cut} of {len(keys)} texts have more than {self._max_tokens} tokens and were cut, "
                "from the left of the prompt; said once, counted in num_cut",
                stacklevel=3,
            )

    @property
    def _about(self) -> dict[str, Any]:
        """Everything that a vector depends on."""
        return {
            "layout": _LAYOUT,
            "backbone_hash": self.backbone_hash,
            "template": list(parts_of(self.reads)),
            "named_template": self.reads in ("response", "prompt+response"),
            "pooling": self.pooling,
            "max_tokens": self._max_tokens,
            "dtype": self.dtype,
        }

    @cached_property
    def _folder(self) -> Path:
        return resolve(self.backbone)

    @cached_property
    def _config(self) -> Any:
        return AutoConfig.from_pretrained(self._folder).get_text_config()

    @cached_property
    def _max_tokens(self) -> int:
        positions = getattr(self._config, "max_position_embeddings", None) or self.max_tokens
        return int(min(self.max_tokens, positions, self._tokenizer.model_max_length))

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        tokenizer = AutoTokenizer.from_pretrained(self._folder)
        if not tokenizer.is_fast:
            raise FeatureError(f"backbone {self.backbone!r} has no fast tokenizer (tokenizer.json)")
        return tokenizer

    @cached_property
    def _template(self) -> Template:
        return Template(self.reads, chat_of(self._tokenizer))

    @cached_property
    def _device(self) -> torch.device:
        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def _model(self) -> Any:
        dtype = getattr(torch, self.dtype)
        model = AutoModel.from_pretrained(self._folder, dtype=dtype, use_safetensors=True)
        model.config.use_cache = False
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        return model.eval().requires_grad_(False).to(self._device)

    @cached_property
    def _store(self) -> FeatureStore | None:
        if not self.store:
            return None
        folder = cache_dir() / "features" / self.fingerprint
        return FeatureStore(folder, self.width + 1, about=self._about)  # the last column: tokens cut
