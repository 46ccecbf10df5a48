"""`Question`: the pair to ask about, and why."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition
from fsa.questions.least_certain import LeastCertain
from fsa.types import Numbers, Text

Pair = tuple[Text, Text | Numbers, Text | Numbers]
"""A prompt and two responses."""


def name_of(value: Text | Numbers) -> Hashable:
    """Equal for equal prompts, or responses: itself, but for a chat, and for numbers in a list."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def pair_name(prompt: Text, first: Text | Numbers, second: Text | Numbers) -> Hashable:
    """Equal for the same two responses to the same prompt, whichever comes first."""
    return name_of(prompt), frozenset((name_of(first), name_of(second)))


NO_DOUBT = "the belief about this person is a point, without doubt, so no answer would add to it; "


@dataclass(frozen=True)
class Question:
    """A pair to show a person.

    Attributes:
        prompt: What is responded to.
        options: The two responses.
        index: Of the pair, among those it was taken from.
        worth: What its answer is worth by the acquisition function, larger is better.
        nats: The same, where it is in nats; None where it is not.
        chance: Probability, 0-1, that the person picks the first.
        why: A sentence on why this one.
    """

    prompt: Text
    options: tuple[Text | Numbers, Text | Numbers]
    index: int
    worth: float
    nats: float | None
    chance: float
    why: str

    @property
    def place(self) -> int:
        """Former name of `index`."""
        return self.index


def best_question(
    pairs: Sequence[Pair],
    first: Float[Tensor, "s q"],
    weight: Float[Tensor, " s"],
    acquisition: Acquisition,
    index: int | None = None,
    worth: float | None = None,
) -> Question:
    """The pair of the largest worth; the first of those that tie.

    Args:
        pairs: Pairs to choose from [q].
        first: Probability that the first response of each is picked, at each atom of the belief.
        weight: Probability of each atom; one atom is a belief without doubt.
        acquisition: What makes a pair worth asking about. One that needs doubt gives way to `LeastCertain`
            where there is none, which `Question.why` then says.
        index, worth: The pair, where it was found already, and what it is worth.
    """
    taken = used(acquisition, weight)
    if index is None or worth is None:
        worths = taken.worth(first, weight)
        index = int(torch.argmax(worths))
        worth = float(worths[index])
    prompt, a, b = pairs[index]
    picked = float(weight @ first[:, index])
    gives_way = taken is not acquisition
    nats = 0.0 if gives_way else worth if taken.in_nats else None
    why = (NO_DOUBT if gives_way else "") + taken.why(worth, picked)
    return Question(prompt, (a, b), index, worth, nats, picked, why)


def used(acquisition: Acquisition, weight: Float[Tensor, " s"]) -> Acquisition:
    """The acquisition function, or what it gives way to where there is one atom and no doubt."""
    return LeastCertain() if acquisition.needs_doubt and len(weight) == 1 else acquisition
