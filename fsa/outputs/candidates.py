"""Files of candidates: one response a line, with its prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsa.choices.reading.json_lines import json_lines, stop
from fsa.choices.reading.record import refuse, shown
from fsa.choices.reading.writable import writable_objects
from fsa.errors import ChoiceDataError
from fsa.outputs.api_inputs import as_prompt, as_response
from fsa.outputs.likings import Group
from fsa.questions.question import name_of
from fsa.types import Numbers, Text, is_number

_Levels = dict[str, float] | None


def read_candidates(path: str | Path) -> list[Group]:
    """Responses of a JSONL file by prompt, in the order they come, each once.

    A line has `prompt` (left out where there is none) and `response`. With `levels`, a number by the name of
    an attribute, it says how much of which attribute the response has; all lines have the same, or none.

    Raises:
        ChoiceDataError: A line is no candidate, has other levels than the first, or a prompt has a single
            response.
    """
    found: dict[Any, tuple[Text, list[Text | Numbers], list[_Levels]]] = {}
    names: list[str] | None = None
    allowed = "an object with prompt and response"
    for place, (where, raw) in enumerate(
        writable_objects(json_lines(path, stop), "candidate", allowed, stop)
    ):
        if "response" not in raw:
            raise ChoiceDataError(f"{where}: response is missing; the candidate has {shown(', '.join(raw))}")
        prompt, response = as_prompt(raw.get("prompt", ""), where), as_response(raw["response"], where)
        levels = _levels(raw.get("levels"), where)
        if place == 0:
            names = None if levels is None else list(levels)
        elif (None if levels is None else sorted(levels)) != (None if names is None else sorted(names)):
            raise ChoiceDataError(f"{where}: levels must be those of the first candidate, {names}")
        _, responses, levels_of_each = found.setdefault(name_of(prompt), (prompt, [], []))
        if response not in responses:
            responses.append(response)
            levels_of_each.append(levels)
    alone = next((prompt for prompt, responses, _ in found.values() if len(responses) < 2), None)
    if not found:
        raise ChoiceDataError(f"{path}: there must be a candidate, came none")
    if alone is not None:
        raise ChoiceDataError(f"{path}: a prompt needs two different responses; {shown(alone)} has one")
    return [
        Group(
            prompt, responses, {name: [one[name] for one in each if one] for name in names} if names else None
        )
        for prompt, responses, each in found.values()
    ]


def _levels(raw: Any, where: str) -> _Levels:
    if raw is None:
        return None
    if not isinstance(raw, dict) or not raw or not all(map(is_number, raw.values())):
        refuse(where, "levels", "a number by the name of an attribute, one or more", raw)
    return {name: float(level) for name, level in raw.items()}
