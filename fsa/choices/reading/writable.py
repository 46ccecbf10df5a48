"""`writable_objects`: lines whose fields are echoed, and so have to be written as JSON again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fsa.choices.reading.record import refuse
from fsa.errors import ChoiceDataError

_DEEPEST = 100


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


def writable_objects(
    lines: Iterable[tuple[str, Any]], what: str, allowed: str, on_bad: Callable[[ChoiceDataError], None]
) -> list[tuple[str, dict[str, Any]]]:
    """Of lines with their places, the objects that could be written again.

    Args:
        lines: What they say in JSON.
        what: What a line is called in errors.
        allowed: What it must be, in errors.
        on_bad: Is told of every other line.
    """
    found = []
    for where, raw in lines:
        try:
            if not isinstance(raw, dict):
                refuse(where, what, allowed, raw)
            check_writable(raw, where)
            found.append((where, raw))
        except ChoiceDataError as error:
            on_bad(error)
    return found


def _check_depth(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            _check_depth(part, depth + 1)
