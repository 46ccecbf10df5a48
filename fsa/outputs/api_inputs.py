"""What callers hand in, as the library has it: choices, prompts and responses from plain Python objects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fsa.choices.reading.record import parse_options, parse_prompt, parse_record, parse_response, parse_text
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Numbers, Text

_DEEPEST = 20  # a chat is three deep

Choices: TypeAlias = Sequence[Choice | Mapping[str, Any]]
"""Somebody's choices: objects, or records as in a JSONL file (`user` may be left out)."""


def as_choice(choice: Choice | Mapping[str, Any], position: int) -> Choice:
    """One of somebody's choices, checked.

    Raises:
        ChoiceDataError: It is no record; names its position.
    """
    where = f"choices[{position}]"
    if isinstance(choice, Mapping):
        return parse_record({"user": "person", **_listed(choice)}, where)
    if not isinstance(choice, Choice):
        return parse_record(choice, where)  # says what is allowed
    if len(choice.options) < 2 or 0 not in choice.outcome.places(len(choice.options)):
        raise ChoiceDataError(
            f"{where}: must have two options or more, and the best among them; came {len(choice.options)} "
            f"options and {choice.outcome}"
        )
    as_prompt(choice.prompt, where)
    parse_options([_listed(option) for option in choice.options], where)
    return choice


def as_prompt(prompt: Any, where: str) -> Text:
    """A prompt: a text, or a chat as a list of messages.

    Raises:
        ChoiceDataError: It is neither.
    """
    return parse_prompt(_listed(prompt), where)


def as_response(response: Any, where: str) -> Text | Numbers:
    """A response: a text (a model may well say nothing, so "" is one), a chat, or numbers.

    Raises:
        ChoiceDataError: It is none of these.
    """
    if isinstance(response, str):
        return parse_text(response, where, "response")
    if _are_numbers(response):
        return tuple(float(number) + 0.0 for number in response)  # the usual case, at once; -0.0 is 0.0
    parsed: Text | Numbers = parse_response(_listed(response), where, "response")
    return parsed


def _are_numbers(value: Any) -> bool:
    """Whether a value is a list of finite numbers, for sure."""
    try:
        return (
            type(value) in (list, tuple)
            and len(value) > 0
            and set(map(type, value)) <= {int, float}
            and math.isfinite(sum(value))
        )
    except OverflowError:
        return False


def _listed(value: Any, depth: int = 0) -> Any:
    """A value with lists where it has tuples, as JSON has it."""
    if depth > _DEEPEST:
        raise ChoiceDataError(f"a prompt or response is nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        return {name: _listed(part, depth + 1) for name, part in value.items()}
    return [_listed(part, depth + 1) for part in value] if isinstance(value, list | tuple) else value
