"""`select`: the response whose scores are nearest a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fsa.judge.scores import AttributeScores
from fsa.judge.target import AlignmentTarget

SAME = 1e-9
"""Distances closer than this are equal: sums of quarters differ in their last digits."""


@dataclass(frozen=True)
class Selection:
    """Which response is nearest, and by how much.

    Attributes:
        index: Place of the nearest response, the first of those that tie; None where a response has no valid
            score on an attribute that the target names, so that nothing can be said.
        distances: From each response to the target [k]; NaN where a score is missing.
        ties: Places of all responses that are nearest; one where nothing ties, none where index is None.
    """

    index: int | None
    distances: Float[np.ndarray, " k"]
    ties: tuple[int, ...]

    @property
    def is_tie(self) -> bool:
        """Whether two or more responses are equally near."""
        return len(self.ties) > 1


def select(scores: AttributeScores, target: AlignmentTarget) -> Selection:
    """The response nearest the target, over the attributes that the target names.

    Raises:
        ConfigError: The target names an attribute that is not scored.

    Reference:
        [Adams2025] The response at the smallest Euclidean distance is chosen.

    Example:
        >>> scores = AttributeScores(("verbosity",), np.array([[0.9], [0.4]]))
        >>> select(scores, AlignmentTarget({"verbosity": 0.5})).index
        1
    """
    return nearest(distances(scores, target))


def distances(scores: AttributeScores, target: AlignmentTarget) -> Float[np.ndarray, " k"]:
    """Weighted Euclidean distance of each response; beyond an `at_least` level it is 0 on that attribute.

    Raises:
        ConfigError: The target names an attribute that is not scored.
    """
    target.check(scores.attributes)
    levels = np.array(list(target.levels.values()))
    one_sided = np.array([name in target.at_least for name in target.attributes])
    missing = levels - scores.columns(target.attributes)  # [k, t]
    missing = np.where(one_sided, np.maximum(missing, 0), missing)  # NaN stays NaN
    squares = target.weight_values() * missing**2
    # Added in order of size: the sum must not depend on the order in which attributes are named.
    return np.sqrt(np.sort(squares, axis=1).sum(1))


def nearest(distance: Float[np.ndarray, " k"]) -> Selection:
    """The smallest of some distances, as a selection."""
    if np.isnan(distance).any():
        return Selection(None, distance, ())
    ties = np.flatnonzero(distance <= distance.min() + SAME)
    return Selection(int(ties[0]), distance, tuple(int(place) for place in ties))
