"""`AlignmentTarget`: which levels of which attributes a person wants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from fsa.errors import ConfigError
from fsa.judge.schema import json_of
from fsa.seeding import integers, random_bits
from fsa.types import is_finite_number

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SUBSET, _LEVEL = range(2)  # what a random number is for


@dataclass(frozen=True)
class AlignmentTarget:
    """The levels that a response should have.

    Attributes:
        levels: Wanted level of each attribute, 0 to 1. Attributes left out do not matter.
        weights: How much a miss on each attribute counts, > 0; 1 for those left out.
        at_least: Attributes of which more than the level is as good as the level itself.

    Raises:
        ConfigError: A level or weight is not what it may be, or something is named that has no level.

    Example:
        >>> AlignmentTarget({"verbosity": 0.25, "helpfulness": 1}, at_least={"helpfulness"}).attributes
        ('verbosity', 'helpfulness')
    """

    levels: Mapping[str, float]
    weights: Mapping[str, float] | None = None
    at_least: Collection[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not isinstance(self.levels, Mapping) or not self.levels:
            raise ConfigError(f"levels must name one attribute or more, came {self.levels!r}")
        _check_numbers("levels", self.levels, "a number from 0 to 1", lambda value: 0 <= value <= 1)
        weights = {} if self.weights is None else self.weights
        if not isinstance(weights, Mapping):
            raise ConfigError(f"weights must be an object of attributes and numbers, came {weights!r}")
        _check_numbers("weights", weights, "a number > 0", lambda value: value > 0)
        if isinstance(self.at_least, str) or not isinstance(self.at_least, Collection):
            raise ConfigError(f"at_least must be a list of attributes, came {self.at_least!r}")
        for name, given in (("weights", weights), ("at_least", self.at_least)):
            unknown = [one for one in given if not isinstance(one, str) or one not in self.levels]
            if unknown:
                known = ", ".join(self.levels)
                raise ConfigError(f"{name} names {unknown[0]!r}, which has no level; levels are of {known}")
        # Read-only copies: a target is a value, like a number.
        levels = {name: float(value) for name, value in self.levels.items()}
        object.__setattr__(self, "levels", MappingProxyType(levels))
        whole = {name: float(weights.get(name, 1)) for name in levels}
        object.__setattr__(self, "weights", MappingProxyType(whole))
        object.__setattr__(self, "at_least", frozenset(self.at_least))

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the target names, in its order."""
        return tuple(self.levels)

    @property
    def name(self) -> str:
        """The target in words, such as "verbosity 0.25, helpfulness >= 1"."""
        words = []
        for name, level in self.levels.items():
            weight = (self.weights or {})[name]
            sign = ">= " if name in self.at_least else ""
            words.append(f"{name} {sign}{level:g}" + ("" if weight == 1 else f" (weight {weight:g})"))
        return ", ".join(words)

    def weight_values(self) -> Float[np.ndarray, " t"]:
        """Weight of each attribute, in the target's order."""
        return np.array([(self.weights or {})[name] for name in self.levels])

    def check(self, attributes: Sequence[str]) -> None:
        """Refuse attributes that are not among these.

        Raises:
            ConfigError: The target names something else.
        """
        for name in self.levels:
            if name not in attributes:
                raise ConfigError(f"target names {name!r}; the attributes are {', '.join(attributes)}")

    def to_json(self) -> dict[str, Any]:
        """The target as JSON allows it."""
        weights = dict(self.weights or {})
        return {"levels": dict(self.levels), "weights": weights, "at_least": sorted(self.at_least)}

    @classmethod
    def from_json(cls, stored: Any, where: str = "target") -> AlignmentTarget:
        """A target from parsed JSON: `{"levels": ..., "weights": ..., "at_least": ...}`, or levels alone.

        Raises:
            ConfigError: It is not what a target may be; names `where`.
        """
        if not isinstance(stored, Mapping):
            raise ConfigError(f"{where}: must be an object of attributes and levels, came {stored!r:.80}")
        parts = dict(stored) if "levels" in stored else {"levels": stored}
        unknown = sorted(set(parts) - {"levels", "weights", "at_least"})
        if unknown:
            raise ConfigError(f"{where}: has {unknown[0]!r}; it may have levels, weights and at_least")
        try:
            return cls(parts["levels"], parts.get("weights"), parts.get("at_least", frozenset()))
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error

    @classmethod
    def from_file(cls, path: str | Path) -> AlignmentTarget:
        """A target from a JSON file; see `from_json`.

        Raises:
            ConfigError: The file cannot be read, or is no target.
        """
        try:
            stored = json_of(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: target cannot be read: {error}") from error
        return cls.from_json(stored, str(path))

    @classmethod
    def high(cls, attributes: Sequence[str]) -> AlignmentTarget:
        """The most of everything."""
        return cls(dict.fromkeys(attributes, 1.0))

    @classmethod
    def low(cls, attributes: Sequence[str]) -> AlignmentTarget:
        """The least of everything."""
        return cls(dict.fromkeys(attributes, 0.0))

    @classmethod
    def sampled(
        cls, attributes: Sequence[str], size: int, count: int, seed: int = 0
    ) -> tuple[AlignmentTarget, ...]:
        """Different targets on `size` of the attributes at levels 0, 0.25, 0.5, 0.75 or 1.

        Args:
            attributes: What to draw from.
            size: Attributes a target names.
            count: Targets; all there are where that is fewer.
            seed: Same seed, same targets; the first of them do not depend on `count`.

        Raises:
            ConfigError: There are fewer than `size` attributes, or a number is below 1.
        """
        if not 1 <= size <= len(attributes) or count < 1:
            raise ConfigError(
                f"size must be from 1 to {len(attributes)} and count >= 1, came {size} and {count}"
            )
        subsets = list(combinations(attributes, size))
        count = min(count, len(subsets) * len(LEVELS) ** size)
        found: dict[tuple[tuple[str, ...], tuple[float, ...]], None] = {}
        draw = 0
        while len(found) < count:
            subset = subsets[int(integers(len(subsets), seed, size, _SUBSET, draw))]
            bits = random_bits(seed, size, _LEVEL, draw, np.arange(size)) % np.uint64(len(LEVELS))
            found[subset, tuple(LEVELS[int(bit)] for bit in bits)] = None
            draw += 1
        return tuple(cls(dict(zip(names, levels, strict=True))) for names, levels in found)


def _check_numbers(field_name: str, given: Mapping[str, Any], allowed: str, is_allowed: Any) -> None:
    for name, value in given.items():
        if not isinstance(name, str) or not is_finite_number(value) or not is_allowed(value):
            raise ConfigError(f"{field_name}: {name} must be {allowed}, came {value!r}")
