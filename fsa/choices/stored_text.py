"""`encode_text`, `decode_chat`: a text or chat as the one string that a table keeps."""

from __future__ import annotations

import json

from fsa.errors import ChoiceDataError
from fsa.types import Messages, Text

CHAT_MARK = "\x1e"
"""A stored chat is this mark and its JSON; no text may begin with it."""


def encode_text(text: Text) -> str:
    """A text or chat as one string; `decode_chat` undoes it. Equal chats give equal strings.

    Raises:
        ChoiceDataError: A text begins with the mark of a chat.
    """
    if not isinstance(text, str):
        messages = [{key: message[key] for key in ("role", "content")} for message in text]
        return CHAT_MARK + json.dumps(messages, ensure_ascii=False)
    if text.startswith(CHAT_MARK):
        raise ChoiceDataError(f"a text must not begin with the control character U+001E, came {text[:60]!r}")
    return text


def decode_chat(stored: str) -> Messages:
    """A chat from its stored form, which begins with its mark; a text is stored as it is."""
    return tuple(json.loads(stored.removeprefix(CHAT_MARK)))
