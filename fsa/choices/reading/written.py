"""`record_of`: a choice as the record that `parse_record` reads."""

from __future__ import annotations

from typing import Any

from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick, Tie


def record_of(choice: Choice) -> dict[str, Any]:
    """Fields of a record, as JSON has them; `group` and `split` where they say something.

    Raises:
        ChoiceDataError: Some options tie and others do not, which no record can say.
    """
    record: dict[str, Any] = {
        "user": choice.user,
        "prompt": _listed(choice.prompt),
        "options": [_listed(option) for option in choice.options],
    }
    outcome = choice.outcome
    if isinstance(outcome, Pick):
        record["chosen"] = outcome.index
    elif not isinstance(outcome, Tie):
        record["ranking"] = list(outcome.order)
    elif len(outcome.indices) == len(choice.options):
        record["chosen"] = "tie"
    else:
        raise ChoiceDataError(f"a choice of {choice.user!r}: a tie of some options cannot be written")
    return record | {name: said for name in ("group", "split") if (said := getattr(choice, name))}


def _listed(text: Any) -> Any:
    return text if isinstance(text, str) else list(text)
