"""`StoredFeatures`: numbers that a frozen backbone gives a text, computed once and kept on the disk."""

from __future__ import annotations

import hashlib
import json
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
import transformers
from jaxtyping import Float32
from numpy.typing import NDArray

from fsa.backbones import Dtype, backbone_hash, resolve
from fsa.devices import torch_device
from fsa.errors import FeatureError
from fsa.features.buckets import length_buckets
from fsa.features.extractor import FeatureExtractor
from fsa.features.memory import FeatureMemory
from fsa.features.progress import SlowBar
from fsa.features.rendering import Readable
from fsa.features.store import FeatureStore
from fsa.paths import cache_dir
from fsa.types import Numbers, Text, is_numbers

_CHUNK = 8192  # texts whose token ids are held at once
_MOST_CUT = 100_000  # texts that `num_cut` tells apart: a server reads without end


class Tokenized(Protocol):
    """A text as token ids."""

    @property
    def ids(self) -> NDArray[np.int64]:
        """Token ids [l]."""

    @property
    def num_cut(self) -> int:
        """Tokens that had to go."""


class StoredFeatures(FeatureExtractor):
    """Base of extractors that run a backbone over texts; they keep numbers under `cache_dir() / "features"`.

    Cheap to make: the backbone is found, hashed and loaded when first needed. A text is never padded to a
    fixed length, and one that comes twice is computed once. Over-long text is cut from the left of the prompt
    (then from the right of the response), counted in `num_cut`, and warned of once.

    Args:
        backbone: "minilm", "gemma-270m", a hub id, or a folder.
        max_tokens: Most tokens of a text, special ones counted; a backbone that takes fewer lowers it.
        batch_tokens: Tokens in a batch with its padding. Fastest on two CPU cores; on a GPU larger is faster.
        dtype: Of the weights. "bfloat16" halves memory; numbers then vary with their batch, third digit.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        store: Keep numbers on the disk, and look there first.

    Attributes:
        kept: Texts whose numbers memory keeps where `store` is False; to be set before the first is read.

    Raises:
        FeatureError: An argument is not what it may be.
    """

    computes: ClassVar[str]
    """What the progress bar says."""

    _computed: Mapping[str, Any]
    """What is computed of a text, and in which way: of each kind of features its own."""

    def __init__(
        self,
        backbone: str,
        max_tokens: int = 512,
        batch_tokens: int = 2048,
        dtype: Dtype = "float32",
        device: str = "auto",
        store: bool = True,
    ) -> None:
        if dtype not in ("float32", "bfloat16"):
            raise FeatureError(f"dtype is {dtype!r}; it is one of float32, bfloat16")
        for name, number in (("max_tokens", max_tokens), ("batch_tokens", batch_tokens)):
            if number < 1:
                raise FeatureError(f"{name} is {number}; it is 1 or more")
        self.backbone, self.max_tokens, self.batch_tokens = backbone, max_tokens, batch_tokens
        self.dtype, self.device, self.store = dtype, device, store
        self.kept = 0
        self._cut: set[bytes] = set()
        self._warned = False

    @property
    def fingerprint(self) -> str:
        return hashlib.blake2b(json.dumps(self._about, sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def num_cut(self) -> int:
        """Different texts seen so far, or since `forget`, that were too long; counted up to 100,000."""
        return len(self._cut)

    @cached_property
    def backbone_hash(self) -> str:
        """sha256 of the backbone's weights, configuration and tokenizer."""
        return backbone_hash(self._folder)

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        rendered = self._render(prompts, list(self._texts(responses)))
        if not rendered:
            return np.zeros((0, self.width), np.float32)
        names = np.array([text.key for text in rendered], "V16")
        _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
        keys = names[first].view(np.uint8).reshape(-1, 16)
        rows = self._look_up(keys, [rendered[place] for place in first], progress)  # [unique, d + 1]
        self._count_cut(keys, rows[:, -1])
        return rows[inverse, :-1]

    @cached_property
    def _about(self) -> dict[str, Any]:
        """Everything that a number depends on."""
        of_backbone = {
            "backbone_hash": self.backbone_hash,
            "max_tokens": self._max_tokens,
            "dtype": self.dtype,
        }
        return {**of_backbone, **self._computed}

    @abstractmethod
    def _render(self, prompts: Sequence[Text], responses: Sequence[Text]) -> Sequence[Any]:
        """Each prompt with its response as the backbone gets them: `Readable`."""

    @abstractmethod
    def _tokenize(self, texts: list[Any]) -> Sequence[Tokenized]:
        """Token ids of rendered texts."""

    @abstractmethod
    def _run(self, batch: list[Any]) -> Float32[np.ndarray, "m d"]:
        """One forward pass over tokenised texts."""

    def _look_up(self, keys: NDArray[np.uint8], texts: list[Readable], progress: bool) -> NDArray[np.float32]:
        """A row per text: its numbers, then how many tokens were cut. From the store where it is known."""
        if self._store is None:
            found, rows = np.zeros(len(keys), bool), np.zeros((len(keys), self.width + 1), np.float32)
        else:
            found, rows = self._store.get(keys)
            if not np.isfinite(rows).all():
                raise FeatureError(
                    f"{self._store_folder}: the store holds a number that is not finite; delete it"
                )
        if not found.all():
            self._compute(np.flatnonzero(~found), keys, texts, rows, progress)
        return rows

    def _compute(
        self,
        missing: NDArray[np.int64],
        keys: NDArray[np.uint8],
        texts: list[Readable],
        rows: NDArray[np.float32],
        progress: bool,
    ) -> None:
        """Fill the missing rows, and keep them."""
        with SlowBar(f"{self.computes} ({self.backbone})", len(missing), enabled=progress) as bar:
            for places, batch in self._batches(missing, texts):
                rows[places, :-1], rows[places, -1] = self._run(batch), [tokens.num_cut for tokens in batch]
                if not np.isfinite(rows[places]).all():
                    raise FeatureError(
                        f"backbone {self.backbone!r} gave {self.computes.lower()} that are not finite, as "
                        f"{self.dtype}"
                    )
                self._keep(keys[places], rows[places])
                bar.advance(len(batch), sum(len(tokens.ids) for tokens in batch))

    def _keep(self, keys: NDArray[np.uint8], rows: NDArray[np.float32]) -> None:
        """Put rows into the store; a store that cannot take them costs time from then on, and a warning."""
        if self._store is not None:
            try:
                self._store.append(keys, rows)
            except OSError as error:
                warnings.warn(f"{self._store_folder}: cannot keep features: {error}", stacklevel=3)
                self._store = None
        if self._store is None and self.store:
            self.num_unkept += len(keys)

    def _batches(
        self, missing: NDArray[np.int64], texts: list[Readable]
    ) -> Iterator[tuple[NDArray[np.int64], list[Tokenized]]]:
        """Batches of texts of nearly one length, with their places in `texts`."""
        for start in range(0, len(missing), _CHUNK):
            places = missing[start : start + _CHUNK]
            tokens = self._tokenize([texts[place] for place in places])
            for batch in length_buckets([len(each.ids) for each in tokens], self.batch_tokens):
                yield places[batch], [tokens[row] for row in batch]

    def _texts(self, responses: Sequence[Text | Numbers]) -> Iterator[Text]:
        for response in responses:
            if not isinstance(response, str) and is_numbers(response):
                raise FeatureError(
                    f"a response is numbers, {response}; {type(self).__name__} reads text (use Numeric)"
                )
            yield response  # type: ignore[misc]

    def _count_cut(self, keys: NDArray[np.uint8], num_cut: NDArray[np.float32]) -> None:
        cut = (key.tobytes() for key in keys[num_cut > 0])
        self._cut.update(islice(cut, max(_MOST_CUT - len(self._cut), 0)))
        if self._cut and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.num_cut} of {len(keys)} texts have more than {self._max_tokens} tokens and were cut, "
                "from the left of the prompt; said once, counted in num_cut",
                stacklevel=3,
            )

    @cached_property
    def _folder(self) -> Path:
        return resolve(self.backbone)

    @cached_property
    def _config(self) -> Any:
        return transformers.AutoConfig.from_pretrained(
            self._folder, trust_remote_code=False
        ).get_text_config()

    @cached_property
    def _max_tokens(self) -> int:
        positions = getattr(self._config, "max_position_embeddings", None) or self.max_tokens
        return int(min(self.max_tokens, positions, self._tokenizer.model_max_length))

    @cached_property
    def _tokenizer(self) -> transformers.PreTrainedTokenizerBase:
        tokenizer = transformers.AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False)
        if not tokenizer.is_fast:
            raise FeatureError(f"backbone {self.backbone!r} has no fast tokenizer (tokenizer.json)")
        return tokenizer

    @cached_property
    def torch_device(self) -> torch.device:
        """Where the backbone runs."""
        return torch_device(self.device)

    @property
    def _store_folder(self) -> Path:
        return cache_dir() / "features" / self.fingerprint

    def hold(self, prompts: Sequence[Text], responses: Sequence[Text | Numbers]) -> None:
        """Read texts that are no person's, and keep their numbers in memory until the process ends.

        Without a memory (`kept` is 0, or numbers are stored on the disk) they are read, and no more.
        """
        self.extract(prompts, responses)
        if not self.store and isinstance(self._store, FeatureMemory):
            rendered = self._render(prompts, list(self._texts(responses)))
            names = np.array([text.key for text in rendered], "V16")
            self._store.hold(names.view(np.uint8).reshape(-1, 16))

    def forget(self) -> None:
        """Drop the numbers that memory has, but for those that it holds; those on the disk stay."""
        self._cut.clear()
        if not self.store and isinstance(self._store, FeatureMemory):
            self._store.clear()

    @cached_property
    def _store(self) -> FeatureStore | FeatureMemory | None:
        if not self.store:
            return FeatureMemory(self.width + 1, self.kept) if self.kept else None
        folder = self._store_folder
        try:
            return FeatureStore(folder, self.width + 1, about=self._about)  # the last column: tokens cut
        except OSError as error:
            warnings.warn(
                f"{folder}: cannot keep features, they are computed each time: {error}", stacklevel=3
            )
            return None
