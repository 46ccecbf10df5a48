"""`ChatWriter`: a language model as it comes, answering many chats that begin alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from fsa.backbones import Dtype, quiet_loading, resolve, torch_dtype
from fsa.devices import torch_device
from fsa.errors import ConfigError


class Answer(NamedTuple):
    """One answer.

    Attributes:
        text: What it says, without its end.
        tokens: Its tokens, without its end.
        stopped: Whether it came to its end, and was not cut.
    """

    text: str
    tokens: int
    stopped: bool


class ChatWriter:
    """Draws answers to chats; what all chats of a batch begin with is read once.

    Args:
        backbone: The model: a name, a folder or a hub id.
        max_new_tokens: Longest answer, in tokens.
        temperature: Of drawing, > 0; larger is more random.
        top_p: Share of probability that is drawn from, 0 to 1.
        dtype: Of the weights; on CPUs that multiply bfloat16 it writes twice as fast.

    Raises:
        ConfigError: The model has no chat template, or there is no such dtype.
        FeatureError: There is no such backbone.
    """

    def __init__(
        self,
        backbone: str,
        *,
        max_new_tokens: int = 64,
        temperature: float = 1.0,
        top_p: float = 1.0,
        dtype: Dtype = "float32",
    ) -> None:
        weights = torch_dtype(dtype)
        folder = resolve(backbone)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not self.tokenizer.chat_template:
            raise ConfigError(f"backbone {backbone!r} has no chat template; answers need one of a chat")
        with quiet_loading():
            self.model = AutoModelForCausalLM.from_pretrained(
                folder, trust_remote_code=False, dtype=weights
            ).eval()
        self.model.to(torch_device())
        self.max_new_tokens, self.temperature, self.top_p = max_new_tokens, temperature, top_p

    @torch.no_grad()
    def __call__(self, chats: Sequence[Sequence[Mapping[str, str]]], seed: int) -> list[Answer]:
        """An answer to each chat; the same for the same chats and seed, whatever was written before."""
        end = self.tokenizer.eos_token_id
        ids, mask, shared = aligned([self._ids(chat) for chat in chats], end)
        ids, mask = ids.to(self.model.device), mask.to(self.model.device)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            written = self.model.generate(
                ids,
                attention_mask=mask,
                past_key_values=self._read(ids[:1, :shared], len(chats)),
                max_new_tokens=self.max_new_tokens,
                do_sample=True,
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=0,
                eos_token_id=end,
                pad_token_id=end,
            )
        answers = []
        for answer in written[:, ids.shape[1] :].tolist():
            kept = answer[: answer.index(end)] if end in answer else answer
            text = self.tokenizer.decode(kept, skip_special_tokens=True).strip()
            answers.append(Answer(text, len(kept), end in answer))
        return answers

    def _ids(self, chat: Sequence[Mapping[str, str]]) -> list[int]:
        text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _read(self, ids: Int[Tensor, "1 l"], rows: int) -> DynamicCache | None:
        """What a model remembers of tokens that all rows begin with."""
        if not ids.shape[1]:
            return None
        cache: DynamicCache = self.model(ids, use_cache=True).past_key_values
        cache.batch_repeat_interleave(rows)
        return cache


def aligned(
    rows: Sequence[Sequence[int]], padding: int
) -> tuple[Int[Tensor, "m l"], Bool[Tensor, "m l"], int]:
    """Rows padded behind what they begin with, so that they end together; their mask; how much they share."""
    shortest = min(map(len, rows)) - 1  # the last token stays each row's own: generation starts with it
    columns = zip(*(row[:shortest] for row in rows), strict=True)
    shared = next((i for i, column in enumerate(columns) if len(set(column)) > 1), shortest)
    longest = max(map(len, rows))
    ids = [[*row[:shared], *[padding] * (longest - len(row)), *row[shared:]] for row in rows]
    mask = [[*[1] * shared, *[0] * (longest - len(row)), *[1] * (len(row) - shared)] for row in rows]
    return torch.tensor(ids), torch.tensor(mask).bool(), shared
