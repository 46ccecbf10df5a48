"""`Tokens`: rendered texts as token ids, cut where they are too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import transformers
from numpy.typing import NDArray

from fsa.errors import FeatureError
from fsa.features.rendering import Rendered, Span
from fsa.types import Messages


class Tokens(NamedTuple):
    """One input.

    Attributes:
        ids: Token ids [l], at least one.
        num_cut: Tokens that had to go.
    """

    ids: NDArray[np.int64]
    num_cut: int


def tokenize(
    tokenizer: transformers.PreTrainedTokenizerBase, texts: Sequence[Rendered], *, max_tokens: int
) -> list[Tokens]:
    """Token ids of every text, with the special tokens that the backbone expects, once.

    A text of more than `max_tokens` tokens loses the leftmost tokens of its prompt; where that is not enough,
    the rightmost of its response. Special tokens and the template's own words stay.

    Raises:
        FeatureError: What must stay is longer than `max_tokens`.
    """
    tokens: list[Tokens | None] = [None] * len(texts)
    for has_special in (False, True):
        rows = [row for row, text in enumerate(texts) if text.has_special == has_special]
        if not rows:
            continue
        plain: dict[str, Any] = {
            "add_special_tokens": not has_special,
            "return_attention_mask": False,
            "return_token_type_ids": False,
            "verbose": False,
        }
        encoded: Any = tokenizer([texts[row].text for row in rows], **plain)
        for row, ids in zip(rows, encoded["input_ids"], strict=True):
            # Where each token stands is asked of the few texts that are too long: it is a third of the work.
            offsets = (
                tokenizer(texts[row].text, return_offsets_mapping=True, **plain)["offset_mapping"]
                if len(ids) > max_tokens
                else []
            )
            tokens[row] = _fit(np.array(ids, np.int64), offsets, texts[row], max_tokens, tokenizer)
    return tokens  # type: ignore[return-value]


def chat_of(tokenizer: transformers.PreTrainedTokenizerBase) -> Callable[[Messages], str] | None:
    """Renders messages by the tokenizer's chat template; None where it has none.

    Tokenised later with no special tokens added, exactly as `apply_chat_template(tokenize=True)` does: the
    template has written them, and a second BOS would go unnoticed.
    """
    if not tokenizer.chat_template:
        return None
    return lambda messages: str(tokenizer.apply_chat_template([dict(m) for m in messages], tokenize=False))


def inside(offsets: list[Span], spans: tuple[Span, ...]) -> list[int]:
    """Positions of the tokens that lie in a span, from left to right; special tokens have no characters."""
    return [
        position
        for position, (start, end) in enumerate(offsets)
        if start < end and any(first <= start and end <= last for first, last in spans)
    ]


def any_special(tokenizer: transformers.PreTrainedTokenizerBase) -> int:
    """Stands for a text of no tokens at all."""
    candidates = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return int(next((number for number in candidates if number is not None), 0))


def _fit(
    ids: NDArray[np.int64],
    offsets: list[Span],
    text: Rendered,
    max_tokens: int,
    tokenizer: transformers.PreTrainedTokenizerBase,
) -> Tokens:
    if not len(ids):
        return Tokens(np.array([any_special(tokenizer)], np.int64), 0)
    excess = len(ids) - max_tokens
    if excess <= 0:
        return Tokens(ids, 0)
    cut = [*inside(offsets, text.prompt), *reversed(inside(offsets, text.response))][:excess]
    if len(cut) < excess:
        raise FeatureError(
            f"max_tokens is {max_tokens}, but the template and its special tokens take "
            f"{len(ids) - len(cut)} without any of the prompt or response"
        )
    return Tokens(np.delete(ids, cut), excess)
