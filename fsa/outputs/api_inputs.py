"""What callers hand in, as the library has it: choices, prompts and responses from plain Python objects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fsa.choices.reading.plain import are_plain, are_usual
from fsa.choices.reading.record import parse_options, parse_prompt, parse_record, parse_response, parse_text
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Numbers, Pick, Text

_DEEPEST = 20  # a chat is three deep

Choices: TypeAlias = Sequence[Choice | Mapping[str, Any]]
"""One person's choices: objects, or records as in a JSONL file (`user` may be left out)."""


def as_choices(choices: Choices) -> list[Choice]:
    """One person's choices, checked.

    Raises:
        ChoiceDataError: One is no record; names its position.
    """
    given: list[Any] = list(choices)
    if all(map(_is_pick, given)) and are_usual([(each.prompt, *each.options) for each in given]):
        return given  # the usual case, at once
    return [as_choice(choice, position) for position, choice in enumerate(given)]


def as_choice(choice: Choice | Mapping[str, Any], position: int) -> Choice:
    """One choice, checked.

    Raises:
        ChoiceDataError: It is no record; names its position.
    """
    where = f"choices[{position}]"
    if isinstance(choice, Mapping):
        return parse_record({"user": "person", **_listed(choice, where)}, where)
    if not isinstance(choice, Choice):
        return parse_record(choice, where)  # says what is allowed
    if len(choice.options) < 2 or 0 not in choice.outcome.places(len(choice.options)):
        raise ChoiceDataError(
            f"{where}: must have two options or more, and the best among them; came {len(choice.options)} "
            f"options and {choice.outcome}"
        )
    as_prompt(choice.prompt, where)
    parse_options([_listed(option, where) for option in choice.options], where)
    return choice


def as_prompts(prompts: Sequence[Any]) -> list[Text]:
    """Prompts, each as `as_prompt` has it."""
    return [as_prompt(prompt, f"prompts[{i}]") for i, prompt in enumerate(prompts)]


def as_items(
    prompts: Sequence[Any], responses: Sequence[Sequence[Any]]
) -> tuple[list[Text], list[Text | Numbers]]:
    """Responses to several prompts, one list after the other, and the prompt of each.

    Raises:
        ChoiceDataError: See `as_prompt` and `as_response`.
    """
    flat = [response for each in responses for response in each]
    if not are_plain([*prompts, *flat]):  # else at once
        prompts = as_prompts(prompts)
        flat = [
            as_response(response, f"responses[{i}][{j}]")
            for i, each in enumerate(responses)
            for j, response in enumerate(each)
        ]
    return [prompt for prompt, each in zip(prompts, responses, strict=True) for _ in each], flat


def as_prompt(prompt: Any, where: str) -> Text:
    """A prompt: a text, or a chat as a list of messages.

    Raises:
        ChoiceDataError: It is neither.
    """
    return parse_prompt(_listed(prompt, where), where)


def as_response(response: Any, where: str) -> Text | Numbers:
    """A response: a text (a model may well say nothing, so "" is one), a chat, or numbers.

    Raises:
        ChoiceDataError: It is none of these.
    """
    if isinstance(response, str):
        return parse_text(response, where, "response")
    if _are_numbers(response):
        return tuple(float(number) + 0.0 for number in response)  # the usual case, at once; -0.0 is 0.0
    parsed: Text | Numbers = parse_response(_listed(response, where), where, "response")
    return parsed


def _is_pick(choice: Any) -> bool:
    """Whether a choice is an object that picks one of two options or more."""
    if not isinstance(choice, Choice) or not isinstance(choice.outcome, Pick):
        return False
    index, count = choice.outcome.index, len(choice.options)
    return type(index) is int and count >= 2 and 0 <= index < count


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


def _listed(value: Any, where: str, depth: int = 0) -> Any:
    """A value with lists where it has tuples, as JSON has it."""
    if depth > _DEEPEST:
        raise ChoiceDataError(f"{where}: a prompt or response is nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        return {name: _listed(part, where, depth + 1) for name, part in value.items()}
    return [_listed(part, where, depth + 1) for part in value] if isinstance(value, list | tuple) else value
