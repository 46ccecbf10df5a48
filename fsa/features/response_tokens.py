"""Prompts and responses as a policy reads and writes them: token ids, and where the response begins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import transformers
from numpy.typing import NDArray

from fsa.errors import FeatureError
from fsa.features.rendering import Rendered, Span, Template
from fsa.features.tokens import any_special, chat_of, inside
from fsa.types import Text

_STAND_IN = "\ue000"  # a response that no template writes or changes: what stands before it is the prompt


class ResponseTokens(NamedTuple):
    """One prompt with its response.

    Attributes:
        ids: Token ids [l].
        start: Where the response begins, 1 or more; it runs to the end of `ids`, its own end included.
        num_cut: Tokens that had to go.
    """

    ids: NDArray[np.int64]
    start: int
    num_cut: int


@dataclass(frozen=True)
class Exchange:
    """A prompt and a response as two texts: a policy writes the second after the tokens of the first.

    Attributes:
        before: All that stands before the response, with the words of a chat template.
        after: The response; after a chat also what the template closes it with.
        closing: First character of `after` that is the template's and not the response's.
        key: 16 bytes that name it.
    """

    before: Rendered
    after: str
    closing: int
    key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(self.before.key, digest_size=16)
        digest.update(self.after.encode("utf-8", "surrogatepass") + repr(self.closing).encode())
        object.__setattr__(self, "key", digest.digest())


def response_tokens(
    tokenizer: transformers.PreTrainedTokenizerBase,
    prompts: Sequence[Text],
    responses: Sequence[Text],
    *,
    max_tokens: int,
) -> list[ResponseTokens]:
    """Token ids of prompts and responses, as `prompt_tokens` and then what a policy would write.

    A chat is rendered by the tokenizer's chat template where it has one; else a blank line stands between
    prompt and response. The two are tokenised apart, as they are when text is generated. A response ends with
    the end-of-text token, after a chat with the token that ends a turn.

    More than `max_tokens` tokens lose the leftmost of the prompt; where that is not enough, the rightmost of
    the response, its end first. Special tokens and the template's own words stay.

    Raises:
        FeatureError: The tokenizer has no end-of-text token, `max_tokens` leaves no room, or a chat template
            writes a prompt otherwise where another response follows.
    """
    exchanges = Exchanges(tokenizer)
    return exchanges.tokens(exchanges.of_all(prompts, responses), max_tokens)


def prompt_tokens(
    tokenizer: transformers.PreTrainedTokenizerBase, prompts: Sequence[Text], *, max_tokens: int
) -> list[NDArray[np.int64]]:
    """Token ids of prompts, exactly as they stand before a response: what to generate from.

    Args:
        tokenizer: Of the policy.
        prompts: A chat is answered by its assistant.
        max_tokens: Most tokens of a prompt; a longer one is cut from the left.

    Raises:
        FeatureError: See `response_tokens`.
    """
    exchanges = Exchanges(tokenizer)
    befores = [exchanges.before(prompt) for prompt in prompts]
    encoded = exchanges.encode_prompts(befores)
    return [_cut(*encoded[before], before, np.zeros(0, np.int64), max_tokens).ids for before in befores]


class Exchanges:
    """Makes texts and tokens of prompts and responses, for one tokenizer.

    Raises:
        FeatureError: It has no end-of-text token.
    """

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase) -> None:
        if tokenizer.eos_token_id is None:
            raise FeatureError("the tokenizer has no end-of-text token (eos_token): no response could end")
        self.tokenizer = tokenizer
        self.template = Template("prompt+response", chat_of(tokenizer))
        self._frames: dict[tuple[str, bool], tuple[Rendered, str]] = {}

    def of_all(self, prompts: Sequence[Text], responses: Sequence[Text]) -> list[Exchange]:
        """Each prompt with its response as texts."""
        return [self.of(*pair) for pair in zip(prompts, responses, strict=True)]

    def of(self, prompt: Text, response: Text) -> Exchange:
        """A prompt and a response as texts."""
        before, closing = self._frame(prompt, response)
        # An empty response is still a turn, where a chat without one has none.
        is_empty_turn = before.has_special and not response
        said: Text = ({"role": "assistant", "content": ""},) if is_empty_turn else response
        whole = self.template.render(prompt, said).text
        if not (whole.startswith(before.text) and whole.endswith(closing)):
            raise FeatureError(
                f"the chat template writes {whole[-200:]!r}, which should have {before.text[-60:]!r} before "
                f"the response and end with {closing!r}: what stands around a response must not depend on "
                "it, and its last message is the assistant's"
            )
        after = whole[len(before.text) :]
        return Exchange(before, after, len(after) - len(closing))

    def before(self, prompt: Text) -> Rendered:
        """What stands before a response to this prompt."""
        return self._frame(prompt, "")[0]

    def tokens(self, exchanges: Sequence[Exchange], max_tokens: int) -> list[ResponseTokens]:
        """Token ids of exchanges; see `response_tokens`."""
        prompts = self.encode_prompts([each.before for each in exchanges])
        afters, offsets = _encode(self.tokenizer, [each.after for each in exchanges])
        responses = [self._ended(*row) for row in zip(exchanges, afters, offsets, strict=True)]
        return [
            _cut(*prompts[each.before], each.before, response, max_tokens)
            for each, response in zip(exchanges, responses, strict=True)
        ]

    def encode_prompts(
        self, befores: Sequence[Rendered]
    ) -> dict[Rendered, tuple[NDArray[np.int64], list[Span]]]:
        """Token ids of what stands before responses, and their characters: none for a special token."""
        unique = list(dict.fromkeys(befores))
        leading = self._leading
        encoded = {}
        for before, ids, offsets in zip(
            unique, *_encode(self.tokenizer, [before.text for before in unique]), strict=True
        ):
            first = [] if before.has_special else leading  # a chat template writes its own
            if not first and not len(ids):
                first = [any_special(self.tokenizer)]  # nothing predicts a token that nothing stands before
            encoded[before] = (np.array([*first, *ids], np.int64), [(0, 0)] * len(first) + offsets)
        return encoded

    def _frame(self, prompt: Text, response: Text) -> tuple[Rendered, str]:
        """What stands before a response of this kind (of a chat, or plain), and after it."""
        texts = (prompt, response)
        is_chat = self.template.chat is not None and any(not isinstance(t, str) and len(t) > 0 for t in texts)
        known = (repr(prompt), is_chat)
        if known not in self._frames:
            if len(self._frames) >= 4096:  # the options of a prompt come one after the other
                self._frames.clear()
            stand_in: Text = ({"role": "assistant", "content": _STAND_IN},) if is_chat else _STAND_IN
            whole = self.template.render(prompt, stand_in)
            before, _, closing = whole.text.rpartition(_STAND_IN)
            self._frames[known] = Rendered(before, whole.prompt, (), has_special=is_chat), closing
        return self._frames[known]

    def _ended(self, each: Exchange, ids: NDArray[np.int64], offsets: list[Span]) -> NDArray[np.int64]:
        """A response's tokens with the one that ends it: the template's own, or the end of text."""
        closing = [place for place, (start, _) in enumerate(offsets) if start >= each.closing]
        for place in closing:
            if int(ids[place]) in self._special:
                return ids[: place + 1]
        kept = ids[: closing[0]] if closing else ids
        return np.append(kept, self.tokenizer.eos_token_id)

    @cached_property
    def _special(self) -> set[int]:
        added: Any = self.tokenizer.added_tokens_decoder
        return {number for number, token in added.items() if token.special}

    @cached_property
    def _leading(self) -> list[int]:
        """Special tokens that this tokenizer begins a text with: a BOS, or none."""
        probe: Any = self.tokenizer("a", return_special_tokens_mask=True)
        num_leading = next((i for i, mark in enumerate(probe["special_tokens_mask"]) if not mark), 0)
        return list(probe["input_ids"][:num_leading])


def _encode(
    tokenizer: transformers.PreTrainedTokenizerBase, texts: list[str]
) -> tuple[list[NDArray[np.int64]], list[list[Span]]]:
    if not texts:
        return [], []
    encoded: Any = tokenizer(
        texts,
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )
    return [np.array(ids, np.int64) for ids in encoded["input_ids"]], encoded["offset_mapping"]


def _cut(
    ids: NDArray[np.int64],
    offsets: list[Span],
    before: Rendered,
    response: NDArray[np.int64],
    max_tokens: int,
) -> ResponseTokens:
    excess = max(0, len(ids) + len(response) - max_tokens)
    from_prompt = inside(offsets, before.prompt)[:excess]
    kept = np.delete(ids, from_prompt)
    left = len(response) - (excess - len(from_prompt))
    if left < min(1, len(response)):
        raise FeatureError(
            f"max_tokens is {max_tokens}, but the template and its special tokens take {len(kept)} "
            "without any of the prompt or response"
        )
    return ResponseTokens(np.concatenate([kept, response[:left]]), len(kept), excess)
