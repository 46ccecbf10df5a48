"""Lines of JSON that commands read from people and write for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fsa.errors import ChoiceDataError

# What a terminal would obey, or show in another place than it stands; JSON has a word for each.
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def check_writable(raw: Any, where: str) -> None:
    """Refuse a line, all of whose fields are echoed, that could not be written again.

    Raises:
        ChoiceDataError: It holds a number that is not finite, half a surrogate pair, or is nested too deeply.
    """
    try:
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
        _check_depth(raw, 0)
    except UnicodeEncodeError as error:
        raise ChoiceDataError(
            f"{where}: texts must be Unicode; character {error.start} of the line is half a surrogate pair"
        ) from None
    except RecursionError:
        raise ChoiceDataError(f"{where}: the line must not be nested so deeply") from None
    except ValueError:
        raise ChoiceDataError(f"{where}: numbers must be finite, one is beyond 1.8e308") from None


def as_lines(answers: Iterable[Mapping[str, Any]]) -> str:
    """Answers as JSON lines, readable in every script and with no control character."""
    written = (json.dumps(answer, ensure_ascii=False, allow_nan=False) for answer in answers)
    return "".join(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line) + "\n" for line in written)


def _check_depth(value: Any, depth: int) -> None:
    if depth > 100:
        raise RecursionError
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            _check_depth(part, depth + 1)
