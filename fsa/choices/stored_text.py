"""`encode_text`, `decode_text`: a text or chat as the one string that a table keeps."""

from __future__ import annotations

import json

from fsa.errors import ChoiceDataError
from fsa.types import Text

CHAT_MARK = "\x1e"
"""A stored chat is this mark and its JSON; no text may begin with it."""


def encode_text(text: Text) -> str:
    """A text or chat as one string; `decode_text` undoes it. Equal chats give equal strings.

    Raises:
        ChoiceDataError: A text begins with the mark of a chat.
    """
    if not isinstance(text, str):
        messages = [{key: message[key] for key in ("role", "content")} for message in text]
        return CHAT_MARK + json.dumps(messages, ensure_ascii=False)
    if text.startswith(CHAT_MARK):
        raise ChoiceDataError(f"a text must not begin with the control character U+001E, came {text[:60]!r}")
    return text


def decode_text(stored: str) -> Text:
    """A text or chat from its stored form."""
    return tuple(json.loads(stored[1:])) if stored.startswith(CHAT_MARK) else stored
