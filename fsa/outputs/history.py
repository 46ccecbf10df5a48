"""`History`: the choices that a person is known by, oldest first, and how they are counted."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fsa.errors import ChoiceDataError, ConfigError
from fsa.outcomes import places_of
from fsa.types import Choice


@dataclass(frozen=True)
class History:
    """One person's choices.

    Attributes:
        choices: Oldest first.
        stated: What the person said of themselves, as choices and how much each counts while it is believed;
            see `Bank.evidence` and `fsa.outputs.reading.believed`.
        half_life: Choices after which one counts half as much, > 0; None where all count alike, and their
            order makes no difference.

    Raises:
        ConfigError: `half_life` is not above 0.
    """

    choices: tuple[Choice, ...] = ()
    half_life: float | None = None
    stated: tuple[tuple[Choice, float], ...] = ()
    _keys: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.half_life is not None and not 0 < self.half_life < math.inf:
            raise ConfigError(f"half_life is in choices and must be a number above 0, came {self.half_life}")

    def canonical(self) -> list[tuple[Choice, tuple[int, ...], float]]:
        """Every choice, the places of its options and its weight, in an order that does not depend on theirs.

        What was stated comes last.
        """
        newest, places = len(self.choices) - 1, _places(self.choices)
        keys = self._keys or _keys(self.choices, places)
        object.__setattr__(self, "_keys", keys)
        weights = [
            1.0 if self.half_life is None else 0.5 ** ((newest - place) / self.half_life)
            for place in range(len(self.choices))
        ]
        order = sorted(range(len(keys)), key=lambda place: (keys[place], weights[place]))
        chosen = [(self.choices[place], places[place], weights[place]) for place in order]
        stated = sorted(self.stated, key=lambda said: (choice_key(said[0]), said[1]))
        return [*chosen, *((choice, _places([choice])[0], weight) for choice, weight in stated)]

    def with_more(self, choices: Sequence[Choice]) -> History:
        """The same, and newer choices."""
        keys = (
            (*self._keys, *_keys(choices, _places(choices))) if len(self._keys) == len(self.choices) else ()
        )
        return replace(self, choices=(*self.choices, *choices), _keys=keys)

    def without(self, choice: Choice) -> History:
        """As if a choice had never been made, every time that it was.

        Raises:
            ChoiceDataError: It never was.
        """
        key = choice_key(choice)
        kept = tuple(other for other in self.choices if choice_key(other) != key)
        if len(kept) == len(self.choices):
            raise ChoiceDataError(
                f"there is no such choice to forget among the {len(kept)} of this person: {choice!r:.200}"
            )
        return replace(self, choices=kept, _keys=())


def choice_key(choice: Choice) -> str:
    """Prompt, options and what was said of them, as JSON; equal for equal choices of any two people."""
    return _keys([choice], _places([choice]))[0]


def _places(choices: Sequence[Choice]) -> list[tuple[int, ...]]:
    return places_of([each.outcome for each in choices], [len(each.options) for each in choices])


def _keys(choices: Sequence[Choice], places: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    said = ([each.prompt, each.options, its] for each, its in zip(choices, places, strict=True))
    return tuple(json.dumps(each, sort_keys=True) for each in said)
