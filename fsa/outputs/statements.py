"""What people say of themselves, as evidence beside what they choose: `Bank`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float

from fsa.errors import ConfigError
from fsa.features.measures import MEASURES, measure
from fsa.judge.scores import AttributeScores, Probe
from fsa.judge.select import distances
from fsa.judge.target import AlignmentTarget
from fsa.types import Choice, Pick, Text

STRENGTH = 8.0
"""Choices that a statement counts as much as, by default, if it is believed (docs/log.md)."""
_WORDS = {"low": 0.0, "middle": 0.5, "high": 1.0}
_MOST_PAIRS = 64
_SAME = 1e-9  # distances from a target that are one


@dataclass(frozen=True)
class Bank:
    """Responses and how much of which attribute they have: what gives a statement its meaning.

    Attributes:
        probes: Prompts with their responses.
        scores: Levels of the responses to each, 0-1, as a judge gives them.
        strength: Choices that a whole statement counts as much as, > 0, if it is believed; less where the
            person's choices speak against it (`fsa.outputs.reading.believed`).

    Raises:
        ConfigError: There is no probe, scores are not those of the probes, or `strength` is not above 0.
    """

    probes: tuple[Probe, ...]
    scores: tuple[AttributeScores, ...]
    strength: float = STRENGTH

    def __post_init__(self) -> None:
        sizes = [[len(probe.responses) for probe in self.probes], [len(s.mean) for s in self.scores]]
        if not self.probes or sizes[0] != sizes[1]:
            raise ConfigError(f"a bank needs probes and scores of their responses, came {sizes}")
        if not 0 < self.strength < np.inf:
            raise ConfigError(f"strength is in choices and must be a number above 0, came {self.strength}")

    @classmethod
    def measured(
        cls,
        responses: Mapping[str, Sequence[Text]],
        attributes: Sequence[str] = tuple(MEASURES),
        strength: float = STRENGTH,
    ) -> Bank:
        """A bank whose levels are measured: the share of the whole bank that has less of an attribute.

        Args:
            responses: Two or more responses by prompt.
            attributes: Any of `fsa.features.measures.MEASURES`.
            strength: See the class.
        """
        probes = tuple(Probe(prompt, prompt, tuple(each)) for prompt, each in responses.items())
        values = measure(attributes, [response for probe in probes for response in probe.responses])
        levels = np.stack([_ranks(column) for column in values.T], 1)
        ends = np.cumsum([len(probe.responses) for probe in probes])[:-1]
        scores = tuple(AttributeScores(tuple(attributes), part) for part in np.split(levels, ends))
        return cls(probes, scores, strength)

    def evidence(self, stated: Mapping[str, Any] | AlignmentTarget) -> tuple[tuple[Choice, float], ...]:
        """A statement as choices that a person who means it would make, and how much each counts.

        Of any two responses to one prompt the one nearer the stated levels is chosen; pairs that lie further
        apart count more, and all together as much as `strength` choices.

        Args:
            stated: A target; or a level of each attribute, 0-1, or "low", "middle" or "high".

        Raises:
            ConfigError: An attribute is not scored, or a level is neither.
        """
        target = stated if isinstance(stated, AlignmentTarget) else AlignmentTarget(_levels(stated))
        pairs: list[tuple[float, Choice]] = []
        for probe, scores in zip(self.probes, self.scores, strict=True):
            away: Float[np.ndarray, " k"] = distances(scores, target)
            for i, j in combinations(range(len(away)), 2):
                apart = float(abs(away[i] - away[j]))
                if apart > _SAME:  # NaN, where the judge gave no score, is not
                    options, nearer = (probe.responses[i], probe.responses[j]), int(away[j] < away[i])
                    pairs.append((apart, Choice("person", probe.prompt, options, Pick(nearer))))
        pairs = sorted(pairs, key=lambda pair: -pair[0])[:_MOST_PAIRS]
        total = sum(apart for apart, _ in pairs)
        return tuple((choice, self.strength * apart / total) for apart, choice in pairs)


def _ranks(values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Share of the others that have less, 0-1; those that have the same share their places."""
    ordered = np.sort(values)
    places = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") - 1
    return np.asarray(places / 2 / max(len(values) - 1, 1))


def _levels(stated: Mapping[str, Any]) -> dict[str, float]:
    if not isinstance(stated, Mapping):
        raise ConfigError(f"stated must be an object of attributes and levels, came {stated!r:.80}")
    levels = {}
    for name, level in stated.items():
        known = _WORDS.get(level) if isinstance(level, str) else level
        if known is None:
            raise ConfigError(f"stated: {name} must be from 0 to 1, low, middle or high, came {level!r:.80}")
        levels[name] = known
    return levels
