"""`Template`: the exact text that a backbone reads for a prompt and a response."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fsa.errors import FeatureError
from fsa.types import Messages, Text

Span = tuple[int, int]
"""First character and the one after the last."""

_NAMED = {"response": "{response}", "prompt+response": "{prompt}\n\n{response}"}


class Readable(Protocol):
    """A text as a backbone gets it."""

    @property
    def key(self) -> bytes:
        """16 bytes that name it."""


@dataclass(frozen=True)
class Rendered:
    """A text to be read, and where its parts stand in it.

    Attributes:
        text: What the tokenizer gets.
        prompt: Characters that came from the prompt; cut first, from the left.
        response: Characters that came from the response; cut last, from the right.
        has_special: The text already names its special tokens (a chat template wrote them).
        key: 16 bytes that name it. Spans count: they decide what is cut where the text is too long.
    """

    text: str
    prompt: tuple[Span, ...]
    response: tuple[Span, ...]
    has_special: bool = False
    key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(self.text.encode("utf-8", "surrogatepass"), digest_size=16)
        digest.update(repr((self.prompt, self.response, self.has_special)).encode())
        object.__setattr__(self, "key", digest.digest())


class Template:
    """Puts a prompt and a response into one text.

    Args:
        reads: "response"; "prompt+response" (a blank line between; the response alone where the prompt is
            empty; chats as the backbone's own chat template has them, if it has one); or a text with
            "{response}" once and "{prompt}" at most once.
        chat: Renders messages by the backbone's chat template; None where it has none.

    Raises:
        FeatureError: The template does not name the response once, or the prompt more than once.
    """

    def __init__(self, reads: str, chat: Callable[[Messages], str] | None = None) -> None:
        self.parts = parts_of(reads)
        self.reads = reads
        self.chat = chat if reads == "prompt+response" else None

    def render_all(self, prompts: Sequence[Text], responses: Sequence[Text]) -> list[Rendered]:
        """The text of each prompt with its response."""
        return [self.render(*pair) for pair in zip(prompts, responses, strict=True)]

    def render(self, prompt: Text, response: Text) -> Rendered:
        """The text for one prompt and response."""
        is_chat = any(not isinstance(text, str) and text for text in (prompt, response))
        if self.chat and is_chat:
            return self._render_chat(as_messages(prompt, "user"), as_messages(response, "assistant"))
        values = {"{prompt}": plain(prompt), "{response}": plain(response)}
        # No blank line before the response where nothing is asked; a template of one's own is kept as it is.
        parts = ("{response}",) if self.reads in _NAMED and not values["{prompt}"] else self.parts
        text, spans = "", {"{prompt}": (0, 0), "{response}": (0, 0)}
        for part in parts:
            start = len(text)
            text += values.get(part, part)
            if part in values:
                spans[part] = (start, len(text))
        return Rendered(text, (spans["{prompt}"],), (spans["{response}"],))

    def _render_chat(self, prompt: Messages, response: Messages) -> Rendered:
        assert self.chat is not None
        text = self.chat(prompt + response)
        spans, start = [], 0
        for message in prompt + response:
            # Templates strip contents; what one drops or rewrites is not found, and then is never cut.
            content = message["content"].strip()
            found = text.find(content, start)
            start = max(found, start) + (len(content) if found >= 0 else 0)
            spans.append((start - len(content), start) if found >= 0 else (start, start))
        return Rendered(text, tuple(spans[: len(prompt)]), tuple(spans[len(prompt) :]), has_special=True)


def parts_of(reads: str) -> tuple[str, ...]:
    """A template as literal text, "{prompt}" and "{response}", in order.

    Raises:
        FeatureError: See `Template`.
    """
    template = _NAMED.get(reads, reads)
    parts = tuple(part for part in re.split(r"(\{prompt\}|\{response\})", template) if part)
    if parts.count("{response}") != 1 or parts.count("{prompt}") > 1:
        raise FeatureError(
            f"reads is {reads!r}; it is one of {', '.join(map(repr, _NAMED))}, or a template that names "
            "{response} once and {prompt} at most once"
        )
    return parts


def as_messages(text: Text, role: str) -> Messages:
    """A chat as it is; a string as one message of this role, an empty one as none."""
    if not isinstance(text, str):
        return tuple(text)
    return ({"role": role, "content": text},) if text else ()


def plain(text: Text) -> str:
    """A text as it is; a chat as its contents, each after its role where there are several messages."""
    if isinstance(text, str):
        return text
    if len(text) == 1:
        return text[0]["content"]
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in text)
