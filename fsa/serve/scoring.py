"""Scores of many requests at once, none of which can harm another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fsa.errors import FsaError
from fsa.outputs.reward_model import Person, Scores
from fsa.serve.people import Asked, People
from fsa.serve.problems import Unprocessable
from fsa.types import Numbers, Text


@dataclass(frozen=True)
class ToScore:
    """Responses to a prompt, and whose rewards of them are wanted."""

    asked: Asked
    prompt: Text
    responses: Sequence[Text | Numbers]


@dataclass(frozen=True)
class Scored:
    """What one person's reward model says of k responses.

    Attributes:
        reward: Nats; comparable between responses to one prompt [k].
        stderr: Standard deviation over the belief, nats; None for a point belief [k].
        low, high: The 90 % interval of the reward; the reward itself for a point belief [k].
        probability: That the person picks each response among all of them, 0-1 [k].
        rank: 1 for the best; equal rewards share the better rank [k].
    """

    reward: list[float]
    stderr: list[float] | None
    low: list[float]
    high: list[float]
    probability: list[float]
    rank: list[int]


def score_all(people: People, items: Sequence[ToScore]) -> list[Scored | Exception]:
    """Score every item, in one batch where that is possible; what is wrong with one is its own answer."""
    known = people.of([item.asked for item in items])
    pairs = [(person, item) for person, item in zip(known, items, strict=True) if isinstance(person, Person)]
    answers = iter(_score(people, [person for person, _ in pairs], [item for _, item in pairs]))
    return [next(answers) if isinstance(person, Person) else person for person in known]


def _score(people: People, readers: Sequence[Person], items: Sequence[ToScore]) -> list[Scored | Exception]:
    try:
        scores = people.model.score_batch(
            readers,
            [item.prompt for item in items],
            [item.responses for item in items],
            probabilities=True,
        )
    except FsaError as error:
        if len(items) == 1:
            return [error]
        return [_score(people, [reader], [item])[0] for reader, item in zip(readers, items, strict=True)]
    return [scored(each) for each in scores]


def scored(scores: Scores) -> Scored | Exception:
    """Scores with their probabilities, as a caller wants them; a problem where a number is not finite."""
    assert scores.probability is not None
    reward, probability = scores.reward.tolist(), scores.probability.tolist()
    stderr, low, high = (
        None if part is None else part.tolist() for part in (scores.stderr, scores.low, scores.high)
    )
    if not all(map(math.isfinite, [*reward, *(stderr or ()), *probability])):
        return Unprocessable("a reward is not finite; the numbers are too large for the model")
    places: dict[float, int] = {}
    for place, each in enumerate(sorted(reward, reverse=True), start=1):
        places.setdefault(each, place)
    return Scored(
        reward=reward,
        stderr=stderr,
        low=reward if low is None else low,
        high=reward if high is None else high,
        probability=probability,
        rank=[places[each] for each in reward],
    )


def squashed(reward: float) -> float:
    """A reward as a number from 0 to 1: the odds against a response of reward 0."""
    return 1 / (1 + math.exp(-reward)) if reward >= 0 else math.exp(reward) / (1 + math.exp(reward))
