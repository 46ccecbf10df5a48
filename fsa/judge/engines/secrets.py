"""Keys: read from the environment, sent to one server, and never shown."""

from __future__ import annotations

import base64
import os
import re

from fsa.errors import ConfigError


def secret(variable: str) -> str:
    """The key in an environment variable, without the white space around it; "" where there is none.

    Raises:
        ConfigError: It holds what no HTTP header takes; the key is not shown.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            f"the key in ${variable} holds a character that a key cannot have (a line end, a blank, or one "
            "beyond ASCII); it is not shown"
        )
    return key


def masked(text: str, key: str) -> str:
    """A text without the key in it, as it is, with JSON's escapes, or in base64."""
    if len(key) < 4:  # hides nothing, and would mask half of the text
        return text
    escaped = "".join(rf"(?:{re.escape(c)}|\\?\\u{ord(c):04x}|\\{re.escape(c)})" for c in key)
    text = re.sub(escaped, "***", text, flags=re.IGNORECASE)
    for offset, first in ((0, 0), (1, 2), (2, 3)):  # base64 depends on where in three bytes the key begins
        coded = base64.b64encode(bytes(offset) + key.encode()).decode()
        whole = coded[first : (offset + len(key)) * 8 // 6]
        text = text.replace(whole, "***").replace(whole.replace("+", "-").replace("/", "_"), "***")
    return text
