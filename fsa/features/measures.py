"""Measures of a text: numbers that a backbone blurs, such as how long it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from fsa.errors import FeatureError
from fsa.features.rendering import plain
from fsa.types import Numbers, Text, is_numbers

_ITEM = re.compile(r"\s*([-*+\u2022]|\d+[.)])\s")
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself)\b")


def measure(names: Sequence[str], responses: Sequence[Text | Numbers]) -> Float64[np.ndarray, "m e"]:
    """Measures of each response, in the order of the names; a name may be any of `MEASURES`.

    Raises:
        FeatureError: A name is unknown, or a response is numbers.
    """
    functions = [_named(name) for name in names]
    if not functions:
        return np.zeros((len(responses), 0))
    texts = [_text(row, response) for row, response in enumerate(responses)]
    return np.array([[function(text) for function in functions] for text in texts]).reshape(
        -1, len(functions)
    )


def log_length(text: str) -> float:
    """log(1 + characters)."""
    return math.log1p(len(text))


def log_words(text: str) -> float:
    """log(1 + words)."""
    return math.log1p(len(text.split()))


def log_lines(text: str) -> float:
    """log(1 + lines that are not blank)."""
    return math.log1p(sum(not line.isspace() and line != "" for line in text.splitlines()))


def log_list_items(text: str) -> float:
    """log(1 + lines that are items of a list: those that begin with a bullet or a number)."""
    return math.log1p(sum(_ITEM.match(line) is not None for line in text.splitlines()))


def word_length(text: str) -> float:
    """Characters a word, in the mean; 0 where there is none."""
    words = text.split()
    return sum(map(len, words)) / len(words) if words else 0.0


def log_exclamations(text: str) -> float:
    """log(1 + exclamation marks)."""
    return math.log1p(text.count("!"))


def log_questions(text: str) -> float:
    """log(1 + question marks)."""
    return math.log1p(text.count("?"))


def log_first_person(text: str) -> float:
    """log(1 + words by which a writer names themself: I, me, my, mine, myself)."""
    return math.log1p(len(_FIRST_PERSON.findall(text)))


MEASURES: Mapping[str, Callable[[str], float]] = {
    "log_length": log_length,
    "log_words": log_words,
    "log_lines": log_lines,
    "log_list_items": log_list_items,
    "word_length": word_length,
    "log_exclamations": log_exclamations,
    "log_questions": log_questions,
    "log_first_person": log_first_person,
}


def _named(name: str) -> Callable[[str], float]:
    if name not in MEASURES:
        raise FeatureError(f"measure is {name!r}; it is one of {', '.join(MEASURES)}")
    return MEASURES[name]


def _text(row: int, response: Text | Numbers) -> str:
    if isinstance(response, str):
        return response
    if is_numbers(response):
        raise FeatureError(f"response {row} is numbers, {response}; measures are of text (set extras to [])")
    return plain(response)  # type: ignore[arg-type]
