"""`asked_in`: whom a row of a trainer's data set means, by a name or by choices that it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fsa.errors import ChoiceDataError
from fsa.outputs.api_inputs import as_choice
from fsa.serve.people import Asked


def asked_in(user: Any, choices: Any, tenant: str, where: str) -> Asked | None:
    """The person of a row; choices say more than a name. None where the row names no person.

    Args:
        user: A name, a whole number, or None.
        choices: Records, or their JSON, or None. Fields that are null, as a column of many records has them,
            are left out. No records at all mean an unknown person.
        tenant: Whose people the name is looked up among.
        where: Place, to begin an error with.

    Raises:
        ChoiceDataError: The name is none, or a record is none.
    """
    if choices is not None:
        return Asked(tenant, None, tuple(_records(choices, where)))
    if user is None or user == "":
        return None
    if isinstance(user, bool) or not isinstance(user, str | int):
        raise ChoiceDataError(f"{where}: user must be a text or whole number, came {user!r:.80}")
    return Asked(tenant, str(user))


def _records(choices: Any, where: str) -> list[dict[str, Any]]:
    if isinstance(choices, str):
        try:
            choices = json.loads(choices)
        except (ValueError, RecursionError):
            raise ChoiceDataError(f"{where}: choices must be JSON, came {choices!r:.80}") from None
    if isinstance(choices, Mapping) or not hasattr(choices, "__iter__"):
        raise ChoiceDataError(f"{where}: choices must be a list of records, came {choices!r:.80}")
    records = []
    for i, choice in enumerate(choices):
        is_record = isinstance(choice, Mapping)
        plain = {k: v for k, v in choice.items() if v is not None} if is_record else choice
        try:
            as_choice(plain, i)
        except ChoiceDataError as error:
            raise ChoiceDataError(f"{where}: {error}") from None
        records.append(plain)
    return records
