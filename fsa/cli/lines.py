"""Lines of JSON that commands read from people and write for them."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fsa.choices.reading.json_lines import all_json_lines, stop
from fsa.choices.reading.writable import writable_objects
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice

# What a terminal would obey, or show in another place than it stands; JSON has a word for each.
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def written_lines(
    path: str, what: str, allowed: str, on_bad: Callable[[ChoiceDataError], None] = stop
) -> list[tuple[str, dict[str, Any]]]:
    """The lines of a JSONL file with their places: objects, all of whose fields can be echoed; see
    `writable_objects`."""
    return writable_objects(all_json_lines(path, on_bad), what, allowed, on_bad)


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


def as_lines(answers: Iterable[Mapping[str, Any]]) -> str:
    """Answers as JSON lines, readable in every script and with no control character."""
    written = (json.dumps(answer, ensure_ascii=False, allow_nan=False) for answer in answers)
    return "".join(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line) + "\n" for line in written)
