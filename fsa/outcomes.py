"""The answer to a choice: a pick, a tie or a ranking, and the places that it gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Pick:
    """One option was chosen over all others."""

    index: int

    def places(self, num_options: int) -> tuple[int, ...]:
        """Place of every option, 0 = best; the options not chosen share place 1."""
        return tuple(int(i != self.index) for i in range(num_options))


@dataclass(frozen=True)
class Tie:
    """Two or more options were equally good, and better than any other."""

    indices: tuple[int, ...]

    def places(self, num_options: int) -> tuple[int, ...]:
        """Place of every option: 0 for the tied, 1 for the rest."""
        return tuple(int(i not in self.indices) for i in range(num_options))


@dataclass(frozen=True)
class Ranking:
    """Options from best to worst; options not named are below all that are."""

    order: tuple[int, ...]

    def places(self, num_options: int) -> tuple[int, ...]:
        """Place of every option, 0 = best; the options not named share the last place."""
        place = {option: place for place, option in enumerate(self.order)}
        return tuple(place.get(i, len(self.order)) for i in range(num_options))


Outcome: TypeAlias = Pick | Tie | Ranking


def places_of(outcomes: Iterable[Outcome], sizes: Iterable[int]) -> list[tuple[int, ...]]:
    """Places that each of some outcomes gives to as many options."""
    return [outcome.places(size) for outcome, size in zip(outcomes, sizes, strict=True)]


def outcomes_of(places: Iterable[tuple[int, ...]]) -> list[Outcome]:
    """The outcome that gives each of some places; see `outcome_of`."""
    return [outcome_of(each) for each in places]


def outcome_of(places: tuple[int, ...]) -> Outcome:
    """The outcome that gives these places: the inverse of `Outcome.places`.

    A ranking of two options, and one that names a single best option, come back as the pick that they are.
    """
    best = tuple(i for i, place in enumerate(places) if place == 0)
    if len(best) > 1:
        return Tie(best)
    if max(places) == 1:
        return Pick(best[0])
    ranked = sorted(range(len(places)), key=places.__getitem__)
    is_shared = places.count(max(places)) > 1
    return Ranking(tuple(i for i in ranked if not (is_shared and places[i] == max(places))))


def reversed_places(places: tuple[int, ...]) -> tuple[int, ...]:
    """Places of the opposite outcome: the worst come first."""
    return tuple(max(places) - place for place in places)
