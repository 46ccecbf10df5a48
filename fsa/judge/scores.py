"""`Probe` and `AttributeScores`: what a judge is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from fsa.errors import ConfigError, ShapeError
from fsa.types import Text


@dataclass(frozen=True)
class Probe:
    """One prompt with the responses that are weighed against each other.

    Attributes:
        key: Names the probe in results; the same probe has the same key on every run.
        prompt: What the responses respond to.
        responses: Two or more candidates; equal ones are allowed.
    """

    key: str
    prompt: Text
    responses: tuple[Text, ...]

    def __post_init__(self) -> None:
        if len(self.responses) < 2:
            raise ConfigError(
                f"probe {self.key!r} must have two responses or more, came {self.responses!r:.80}"
            )


@dataclass(frozen=True)
class AttributeScores:
    """What a judge says of the responses to one probe.

    Axes: **k** responses, in the order of the probe; **a** attributes.

    Attributes:
        attributes: Names, one a column.
        mean: Score of each response, 0 to 1, larger is more of the attribute; NaN where the judge gave no
            valid score, so nothing is ever made up for it.
        spread: Standard deviation over samples, in the same unit; None from a judge that is asked once.
        reasoning: Of each response and attribute, one sentence or None; None from a judge that gives none.
        problems: Kinds of trouble, one entry for each time it happened, such as "truncated", "missing letter"
            or "refusal".

    Raises:
        ShapeError: The parts disagree about responses or attributes.
        ConfigError: A score is outside 0 to 1, or a spread below 0.
    """

    attributes: tuple[str, ...]
    mean: Float[np.ndarray, "k a"]
    spread: Float[np.ndarray, "k a"] | None = None
    reasoning: tuple[tuple[str | None, ...], ...] | None = None
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.mean), len(self.attributes))
        shapes = [np.shape(self.mean)]
        shapes += [np.shape(self.spread)] if self.spread is not None else []
        if self.reasoning is not None:
            shapes += [(len(self.reasoning), len(row)) for row in self.reasoning]
        if any(other != shape for other in shapes):
            raise ShapeError(f"scores are [responses, attributes] = {list(shape)}, came {shapes}")
        outside = (
            (self.mean < 0) | (self.mean > 1) | np.isinf(self.mean)
        )  # NaN compares as false: it may stay
        if outside.any():
            response, column = np.argwhere(outside)[0]
            raise ConfigError(
                f"score of {self.attributes[column]} for response {response} must be from 0 to 1, "
                f"came {self.mean[response, column]}"
            )
        if self.spread is not None and (self.spread < 0).any():
            raise ConfigError(f"a spread must be >= 0, came {np.nanmin(self.spread)}")

    @property
    def is_complete(self) -> bool:
        """Whether every response has a score on every attribute."""
        return not bool(np.isnan(self.mean).any())

    def column(self, attribute: str) -> Float[np.ndarray, " k"]:
        """Scores of all responses on one attribute.

        Raises:
            ConfigError: The judge does not score it.
        """
        return self.columns([attribute])[:, 0]

    def columns(self, attributes: Sequence[str]) -> Float[np.ndarray, "k t"]:
        """Scores of all responses on some attributes, in the order asked for.

        Raises:
            ConfigError: The judge does not score one of them.
        """
        for name in attributes:
            if name not in self.attributes:
                raise ConfigError(
                    f"attribute {name!r} is not scored; scored are {', '.join(self.attributes)}"
                )
        return self.mean[:, [self.attributes.index(name) for name in attributes]]

    def to_json(self) -> dict[str, Any]:
        """The scores as JSON allows them; what is NaN here is null there."""
        return {
            "attributes": list(self.attributes),
            "mean": _plain(self.mean),
            "spread": None if self.spread is None else _plain(self.spread),
            "reasoning": None if self.reasoning is None else [list(row) for row in self.reasoning],
            "problems": list(self.problems),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> AttributeScores:
        """The scores that `to_json` gave, to the last digit."""
        attributes, reasoning = tuple(stored["attributes"]), stored["reasoning"]
        return cls(
            attributes,
            _array(stored["mean"], len(attributes)),
            None if stored["spread"] is None else _array(stored["spread"], len(attributes)),
            None if reasoning is None else tuple(tuple(row) for row in reasoning),
            tuple(stored["problems"]),
        )


@dataclass(frozen=True)
class Labelled:
    """A probe with the scores that people gave.

    Attributes:
        probe: What was rated.
        labels: How; every score is there.

    Raises:
        ConfigError: A score is missing.
        ShapeError: The labels are of another number of responses.
    """

    probe: Probe
    labels: AttributeScores

    def __post_init__(self) -> None:
        if len(self.labels.mean) != len(self.probe.responses):
            raise ShapeError(f"{len(self.labels.mean)} labels for {len(self.probe.responses)} responses")
        if not self.labels.is_complete:
            raise ConfigError(f"probe {self.probe.key!r}: a label is missing")


def _plain(values: Float[np.ndarray, "k a"]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]


def _array(rows: Sequence[Sequence[float | None]], columns: int) -> Float[np.ndarray, "k a"]:
    # float64 turns None into NaN.
    return np.array(rows, np.float64).reshape(-1, columns)
