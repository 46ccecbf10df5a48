"""Small questions with known answers, made by a program: what a model still gets right once it is steered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fsa.seeding import integers

# What a random number is for; no other part of this package uses these counters.
_KIND, _FIRST, _SECOND = 320, 321, 322


class Question(NamedTuple):
    """A question, and the word or number that a right answer holds."""

    text: str
    answer: str


FACTS: dict[str, dict[str, str]] = {
    "What is the capital of {}?": {
        "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Japan": "Tokyo",
        "China": "Beijing", "Russia": "Moscow", "Egypt": "Cairo", "Greece": "Athens", "Austria": "Vienna",
        "Poland": "Warsaw", "Portugal": "Lisbon", "Ireland": "Dublin", "Norway": "Oslo",
        "Sweden": "Stockholm",
        "Finland": "Helsinki", "Denmark": "Copenhagen", "Hungary": "Budapest", "Canada": "Ottawa",
        "Cuba": "Havana", "Peru": "Lima", "Kenya": "Nairobi", "Iran": "Tehran", "Iraq": "Baghdad",
        "England": "London", "Scotland": "Edinburgh", "Turkey": "Ankara", "Belgium": "Brussels",
        "Thailand": "Bangkok", "Chile": "Santiago",
    },
    "What is the opposite of {}?": {
        "hot": "cold", "big": "small", "up": "down", "day": "night", "fast": "slow", "happy": "sad",
        "open": "closed", "black": "white", "rich": "poor", "hard": "soft", "wet": "dry", "early": "late",
        "old": "young", "full": "empty", "strong": "weak", "light": "dark", "good": "bad", "left": "right",
        "loud": "quiet", "true": "false",
    },
    "Which day comes after {}?": {
        "Monday": "Tuesday", "Tuesday": "Wednesday", "Wednesday": "Thursday", "Thursday": "Friday",
        "Friday": "Saturday", "Saturday": "Sunday", "Sunday": "Monday",
    },
    "Which month comes after {}?": {
        "January": "February", "February": "March", "March": "April", "April": "May", "May": "June",
        "June": "July", "July": "August", "August": "September", "September": "October",
        "October": "November", "November": "December", "December": "January",
    },
    "What colour is {}?": {
        "grass": "green", "the sky": "blue", "snow": "white", "blood": "red", "coal": "black",
        "a banana": "yellow", "a lemon": "yellow", "milk": "white",
    },
}  # fmt: skip
"""Every question is asked once; the rest are sums and differences."""


def questions(num: int = 500, seed: int = 0) -> list[Question]:
    """Facts, and sums and differences of numbers up to 20; the same for the same seed, none twice."""
    facts = [
        Question(pattern.format(about), answer)
        for pattern, known in FACTS.items()
        for about, answer in known.items()
    ]
    made = dict.fromkeys(facts)
    number = 0
    while len(made) < num:
        plus, first, second = (
            int(integers(below, seed, counter, number))
            for counter, below in ((_KIND, 2), (_FIRST, 21), (_SECOND, 21))
        )
        low, high = sorted((first, second))
        text, result = (f"{first} + {second}", first + second) if plus else (f"{high} - {low}", high - low)
        made.setdefault(Question(f"What is {text}?", str(result)))
        number += 1
    return list(made)[:num]


def is_right(question: Question, answer: str) -> bool:
    """Whether an answer holds the word or number looked for, on its own and whatever its case.

    Of several numbers in an answer to a sum, the last counts: a model repeats the question first.
    """
    if question.answer.isdigit():
        numbers = re.findall(r"-?\d+", answer.replace(",", ""))
        return bool(numbers) and numbers[-1] == question.answer
    return re.search(rf"\b{re.escape(question.answer)}\b", answer, re.IGNORECASE) is not None


def right(asked: Sequence[Question], answers: Sequence[str]) -> np.ndarray:
    """1 for a right answer, 0 for another [m]."""
    return np.array([is_right(*pair) for pair in zip(asked, answers, strict=True)], float)
