"""The JSON that a language model must answer with, and the strict reading of what it did answer.

A schema may have constrained the output or not: what is read here is checked in full all the same. Whatever
is not as asked for becomes a named problem and no score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from fsa.errors import ConfigError

TOP = 100
"""The highest score that is asked for; the lowest is 0."""

_REFUSAL = re.compile(
    r"\W*(i['’]m sorry|i am sorry|sorry,|i apologi[sz]e|as an ai\b"
    r"|i (can['’]?t|cannot|can not|won['’]t|am unable to|['’]m unable to|am not able to) "
    r"(help|assist|comply|rate|score|judge|evaluate|assess|provide|answer|respond|fulfil|do)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scored:
    """What was said of one response.

    Attributes:
        score: 0 to 1, larger is more of the attribute.
        reasoning: A sentence, never blank.
    """

    score: float
    reasoning: str


def letters_for(count: int) -> str:
    """Letters that name so many responses: "AB" for two.

    Raises:
        ConfigError: There are more responses than letters.
    """
    if count > len(ascii_uppercase):
        raise ConfigError(f"a request shows up to {len(ascii_uppercase)} different responses, came {count}")
    return ascii_uppercase[:count]


def scores_schema(letters: Sequence[str], max_reasoning: int) -> dict[str, Any]:
    """JSON schema of an answer that gives every letter a reasoning, then a whole score from 0 to 100.

    The reasoning comes first, so that the score may follow from it.

    Args:
        letters: One a response.
        max_reasoning: Most characters of a reasoning.
    """
    score = {"type": "integer", "minimum": 0, "maximum": TOP}
    entry = _object({"reasoning": _reasoning(max_reasoning), "score": score})
    return _object(dict.fromkeys(letters, entry))


def choice_schema(letters: Sequence[str], max_reasoning: int) -> dict[str, Any]:
    """JSON schema of an answer that gives one reasoning, then the letter of one response."""
    choice = {"type": "string", "enum": list(letters)}
    return _object({"reasoning": _reasoning(max_reasoning), "choice": choice})


def read_scores(
    text: str, letters: Sequence[str], max_reasoning: int
) -> tuple[dict[str, Scored], tuple[str, ...]]:
    """What an answer says of each letter, and what is wrong with it.

    Args:
        text: The answer; it should be what `scores_schema` describes.
        letters: One a response.
        max_reasoning: Most characters of a reasoning.

    Returns:
        The letters with a valid entry, and one problem for each thing that is not as asked for.
    """
    entries, problems = _read_object(text)
    if entries is None:
        return {}, tuple(problems)
    problems += ["unknown letter" for letter in entries if letter not in letters]
    found = {}
    for letter in letters:
        if letter not in entries:
            problems.append("missing letter")
            continue
        scored = _read_entry(entries[letter], max_reasoning)
        if isinstance(scored, str):
            problems.append(scored)
        else:
            found[letter] = scored
    return found, tuple(problems)


def read_choice(
    text: str, letters: Sequence[str], max_reasoning: int
) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The letter that an answer picks (None without a valid one), its reasoning, and what is wrong."""
    answer, problems = _read_object(text)
    if answer is None:
        return None, None, tuple(problems)
    if set(answer) != {"reasoning", "choice"}:
        return None, None, (*problems, "malformed answer")
    wrong = _wrong_reasoning(answer["reasoning"], max_reasoning)
    if wrong is None and answer["choice"] not in list(letters):
        wrong = "unknown letter" if isinstance(answer["choice"], str) else "malformed answer"
    if wrong:
        return None, None, (*problems, wrong)
    return answer["choice"], answer["reasoning"].strip(), tuple(problems)


def is_refusal(text: str) -> bool:
    """Whether a text opens as one that declines to answer."""
    return bool(_REFUSAL.match(text))


def json_of(text: str) -> Any:
    """Parsed JSON as the standard has it: no NaN, no name twice in an object.

    Raises:
        ValueError: It is no such JSON; `RepeatedName` where only a name that comes twice is wrong.
    """
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_entry(entry: Any, max_reasoning: int) -> Scored | str:
    """A valid entry, or the name of what is wrong with it."""
    if not isinstance(entry, dict) or set(entry) != {"reasoning", "score"}:
        return "malformed answer"
    wrong = _wrong_reasoning(entry["reasoning"], max_reasoning)
    if wrong:
        return wrong
    # True is an int in Python.
    if not isinstance(entry["score"], int) or isinstance(entry["score"], bool):
        return "malformed answer"
    if not 0 <= entry["score"] <= TOP:
        return "score out of range"
    return Scored(entry["score"] / TOP, entry["reasoning"].strip())


def _wrong_reasoning(reasoning: Any, max_reasoning: int) -> str | None:
    if not isinstance(reasoning, str):
        return "malformed answer"
    if not reasoning.strip():
        return "no reasoning"
    if len(reasoning) > max_reasoning:
        return "reasoning too long"
    if re.search(r"[\ud800-\udfff]", reasoning):
        return "malformed answer"  # half a character, which no file can hold
    # A model held to the schema can only refuse in words, and then has to make up a score.
    return "refusal" if is_refusal(reasoning) else None


def _read_object(text: str) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        found = json_of(text)
    except RepeatedName:
        return None, ["repeated letter"]
    except ValueError:
        return None, ["refusal" if is_refusal(text) else "not JSON"]
    return (found, []) if isinstance(found, dict) else (None, ["not JSON"])


class RepeatedName(ValueError):
    """A name stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(found := dict(pairs)) < len(pairs):
        twice = next(name for name in found if names.count(name) > 1)
        raise RepeatedName(f"{twice[:60]!r} must be given once, came twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _reasoning(max_reasoning: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": max_reasoning}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
