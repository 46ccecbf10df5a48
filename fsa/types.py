"""The nouns that pass between rooms, and the legend of axes.

Axes: **b** users (one episode each), **n** choices, **k** options, **s** latent samples, **z** latent,
**d** feature, **p** parameters per option, **l** tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

from fsa.batches import ChoiceBatch as ChoiceBatch
from fsa.batches import EpisodeBatch as EpisodeBatch
from fsa.batches import Repeats as Repeats
from fsa.batches import TokenRows as TokenRows
from fsa.beliefs import Belief as Belief
from fsa.outcomes import Outcome as Outcome
from fsa.outcomes import Pick as Pick
from fsa.outcomes import Ranking as Ranking
from fsa.outcomes import Tie as Tie
from fsa.outcomes import outcome_of as outcome_of
from fsa.outcomes import reversed_places as reversed_places

Messages: TypeAlias = tuple[Mapping[str, str], ...]
"""A chat: `{"role": ..., "content": ...}` mappings in order."""
Text: TypeAlias = str | Messages
Numbers: TypeAlias = tuple[float, ...]
"""An option that is no text: its features, passed through as they are."""
LARGEST = 1.7976931348623157e308
"""The largest number in double precision."""


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number: True and False are none, though Python has them so."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that a computation may hold, however long a whole number it is."""
    return is_number(value) and -LARGEST <= value <= LARGEST


def is_numbers(option: Any) -> TypeGuard[Numbers]:
    """Whether an option is numbers, and no text or chat; its first part tells, for all are of one kind."""
    return not isinstance(option, str) and len(option) > 0 and is_number(option[0])


@dataclass(frozen=True)
class Choice:
    """What one user said about responses to one prompt.

    Attributes:
        user: Who chose.
        prompt: What the options respond to; "" where there is no prompt.
        options: Two or more responses, all text or all numbers of one length.
        outcome: What was said of them.
        group: To slice reports by. Features drop it, so no model can see it.
        split: The split that the record asks for, or "".
    """

    user: str
    prompt: Text
    options: tuple[Text, ...] | tuple[Numbers, ...]
    outcome: Outcome
    group: str = ""
    split: str = ""

    def reversed(self) -> Choice:
        """The same options with the opposite outcome; a pick among more than two becomes "anything but"."""
        places = self.outcome.places(len(self.options))
        return Choice(
            self.user, self.prompt, self.options, outcome_of(reversed_places(places)), self.group, self.split
        )
