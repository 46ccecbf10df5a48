"""Why a person's responses are ranked as they are: `Explanation`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from fsa.errors import ShapeError
from fsa.outputs.history import History
from fsa.outputs.likings import Group, Liking, likings
from fsa.types import Choice, Numbers, Text, is_numbers

if TYPE_CHECKING:
    from fsa.outputs.person import Person

_How: TypeAlias = Literal["left out", "reversed"]
_MOST_TRIED = 4000  # changes of choices, before the search for one that flips the winner gives up


@dataclass(frozen=True)
class Influence:
    """What one choice did to a ranking, by reading the person without it.

    Attributes:
        choice: The choice.
        index: Of it among the person's choices.
        nats: What it added to the reward of the winner over that of the second.
        winner: Index of the response that wins without it.
        moved: Largest change of the difference between any two responses' rewards, nats, >= 0.
    """

    choice: Choice
    index: int
    nats: float
    winner: int
    moved: float

    @property
    def place(self) -> int:
        """Former name of `index`."""
        return self.index


@dataclass(frozen=True)
class Change:
    """What would have had to be otherwise: a choice not made, or made the other way round."""

    choice: Choice
    index: int
    how: _How

    @property
    def place(self) -> int:
        """Former name of `index`."""
        return self.index


@dataclass(frozen=True)
class Explanation:
    """Why a person's responses are ranked as they are.

    Attributes:
        order: Indices of the responses, best first.
        margin: Reward of the winner less that of the second, nats.
        influences: Of the person's choices, those that moved most first.
        likings: The person against the population, by measured attributes of these responses and
            of those that the person chose between, the most distinctive first. Empty for numbers.
        flip: Fewest changes of choices after which another response wins; None where none was found.
    """

    order: tuple[int, ...]
    margin: float
    influences: tuple[Influence, ...]
    likings: tuple[Liking, ...]
    flip: tuple[Change, ...] | None


def explain(
    person: Person, history: History, prompt: Text, responses: Sequence[Text | Numbers], most_changes: int = 2
) -> Explanation:
    """Explain a ranking by reading the person again, without each of their choices and with some reversed.

    Raises:
        ShapeError: There are fewer than two responses.
    """
    if len(responses) < 2:
        raise ShapeError(f"a ranking needs two responses, came {len(responses)}")
    reward = person.score(prompt, responses).reward
    order = np.argsort(-reward, kind="stable")
    winner, second = int(order[0]), int(order[1])
    known = history.choices
    without = _rewards(
        person, [_changed(history, (i,), ("left out",)) for i in range(len(known))], prompt, responses
    )
    influences = [
        Influence(
            choice,
            index,
            float(reward[winner] - reward[second] - (others[winner] - others[second])),
            int(np.argmax(others)),
            float(np.ptp(reward - others)),
        )
        for index, (choice, others) in enumerate(zip(known, without, strict=True))
    ]
    return Explanation(
        tuple(int(index) for index in order),
        float(reward[winner] - reward[second]),
        tuple(sorted(influences, key=lambda one: -one.moved)),
        _likings(person, known, prompt, responses),
        _flip(person, history, prompt, responses, winner, most_changes),
    )


def _rewards(
    person: Person, histories: Sequence[History], prompt: Text, responses: Sequence[Text | Numbers]
) -> list[Float[np.ndarray, " k"]]:
    """Rewards of the responses by people with other choices."""
    people = person.model.read(histories)
    scores = person.model.score_batch(people, [prompt] * len(people), [responses] * len(people))
    return [each.reward for each in scores]


def _changed(history: History, indices: Sequence[int], how: Sequence[str]) -> History:
    """The same choices, some left out or reversed."""
    by_index = dict(zip(indices, how, strict=True))
    kept = [
        choice.reversed() if by_index.get(i) == "reversed" else choice
        for i, choice in enumerate(history.choices)
        if by_index.get(i) != "left out"
    ]
    return replace(history, choices=tuple(kept), _keys=())


def _flip(
    person: Person,
    history: History,
    prompt: Text,
    responses: Sequence[Text | Numbers],
    winner: int,
    most_changes: int,
) -> tuple[Change, ...] | None:
    """Fewest changes after which another response wins; among as many, leaving out before reversing."""
    hows: tuple[_How, ...] = ("left out", "reversed")
    for size in range(1, min(most_changes, len(history.choices)) + 1):
        ways = (
            (indices, how)
            for how in product(hows, repeat=size)
            for indices in combinations(range(len(history.choices)), size)
        )
        tried = list(islice(ways, _MOST_TRIED))
        rewards = _rewards(person, [_changed(history, *way) for way in tried], prompt, responses)
        for (indices, how), reward in zip(tried, rewards, strict=True):
            if int(np.argmax(reward)) != winner:
                return tuple(Change(history.choices[i], i, h) for i, h in zip(indices, how, strict=True))
    return None


def _likings(
    person: Person, known: Sequence[Choice], prompt: Text, responses: Sequence[Text | Numbers]
) -> tuple[Liking, ...]:
    """The person's likings by measures of these responses and of those that they chose between."""
    if any(map(is_numbers, responses)):
        return ()
    groups = [Group(prompt, responses), *(Group(choice.prompt, choice.options) for choice in known)]
    return tuple(sorted(likings(person, groups).each, key=lambda one: -abs(one.person - one.population)))
