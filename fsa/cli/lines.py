"""Lines of JSON that commands read from people and write for them."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fsa.choices.reading.json_lines import all_json_lines, stop
from fsa.choices.reading.record import refuse
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice

# What a terminal would obey, or show in another place than it stands; JSON has a word for each.
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def written_lines(
    path: str, what: str, allowed: str, on_bad: Callable[[ChoiceDataError], None] = stop
) -> list[tuple[str, dict[str, Any]]]:
    """The lines of a file with their places: objects, all of whose fields can be echoed.

    Args:
        path: JSONL file.
        what: What a line is called in errors.
        allowed: What it must be, in errors.
        on_bad: Is told of every other line.
    """
    lines = []
    for where, raw in all_json_lines(path, on_bad):
        try:
            if not isinstance(raw, dict):
                refuse(where, what, allowed, raw)
            check_writable(raw, where)
            lines.append((where, raw))
        except ChoiceDataError as error:
            on_bad(error)
    return lines


def choices_of_each(table: ChoiceTable, users: Sequence[str], doing: str) -> list[list[Choice]]:
    """Choices of each user; warns of those who have none.

    Args:
        table: All people's choices.
        users: Whose are wanted.
        doing: What is done for them, to end "... users of" with.
    """
    found = [table.choices_of(user) for user in users]
    unknown = [user for user, choices in zip(users, found, strict=True) if not choices]
    if unknown:
        warnings.warn(
            f"{len(unknown)} users of {doing} as unknown people: " + ", ".join(unknown[:5]), stacklevel=3
        )
    return found


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
