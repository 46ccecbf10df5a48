"""What sandbox users like: weights on the attributes of text, of a few known types or continuous."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from fsa.choices.sandbox_text.wordings import ATTRIBUTES, POLES
from fsa.errors import ConfigError
from fsa.seeding import uniform

POLE_NAMES: tuple[str, ...] = tuple(pole for poles in POLES.values() for pole in reversed(poles))
"""Both poles of each attribute: the ten simplest types."""

_USERS, _PRIOR = 100, 101  # what a random number is for; no other part of the sandbox uses these counters


class Tastes(Protocol):
    """A distribution of tastes: weight vectors of length 1, one weight an attribute."""

    groups: list[str]

    def users(self, num_users: int, seed: int) -> tuple[Float[Array, "u a"], Int[Array, " u"]]:
        """Weights and group number of each user."""
        ...

    def prior(self, seed: int) -> Float[Array, "t a"]:
        """Tastes that are equally likely before any choice: all there are, or a sample."""
        ...


class TypeTastes:
    """Every user is of one of a few types; types take turns, so they are equally common.

    Args:
        types: Names of poles ("long", "cheerful", ...), or several joined by "+", which weigh the same.

    Raises:
        ConfigError: A pole is unknown, two poles of one attribute are joined, or a type comes twice.
    """

    def __init__(self, types: Sequence[str]) -> None:
        if not types or len(set(types)) < len(types):
            raise ConfigError(f"types must be one or more different names, got {list(types)}")
        self.groups = list(types)
        self._weights = np.stack([_weights_of(name) for name in types])

    def users(self, num_users: int, seed: int) -> tuple[Float[Array, "u a"], Int[Array, " u"]]:
        """Weights and type number of each user; the seed has no effect."""
        group = np.arange(num_users) % len(self.groups)
        return self._weights[group], group

    def prior(self, seed: int) -> Float[Array, "t a"]:
        """The weights of every type."""
        return self._weights


class ContinuousTastes:
    """Every user has weights of their own: N(0, 1) for each attribute, scaled to length 1.

    That is uniform on the sphere. A user's group is the pole that they weigh most.

    Args:
        num_samples: Tastes that stand for the prior where one is needed; even.
    """

    def __init__(self, num_samples: int = 1000) -> None:
        self.groups = list(POLE_NAMES)
        self.num_samples = num_samples

    def users(self, num_users: int, seed: int) -> tuple[Float[Array, "u a"], Int[Array, " u"]]:
        """Weights and group number of each user."""
        weights = on_sphere(num_users, seed, _USERS)
        return weights, strongest_pole(weights)

    def prior(self, seed: int) -> Float[Array, "t a"]:
        """A sample of tastes, other than any user's; with each its opposite, as the prior is symmetric."""
        half = on_sphere(self.num_samples // 2, seed, _PRIOR)
        return np.concatenate([half, -half])


def _weights_of(name: str) -> Float[Array, " a"]:
    weights = np.zeros(len(ATTRIBUTES))
    for pole in name.split("+"):
        if pole not in POLE_NAMES:
            raise ConfigError(f"type {name!r}: {pole!r} is no pole, known are {', '.join(POLE_NAMES)}")
        attribute = POLE_NAMES.index(pole) // 2
        if weights[attribute]:
            raise ConfigError(f"type {name!r} names {ATTRIBUTES[attribute]} twice")
        weights[attribute] = 1 if pole == POLES[ATTRIBUTES[attribute]][1] else -1
    return weights / np.linalg.norm(weights)


def strongest_pole(weights: Float[Array, "u a"]) -> Int[Array, " u"]:
    """What each user weighs most: twice the attribute's number, and one more where the weight is negative."""
    strongest = np.abs(weights).argmax(1)
    is_negative = weights[np.arange(len(weights)), strongest] < 0
    return 2 * strongest + is_negative


def on_sphere(num: int, seed: int, purpose: int, width: int = len(ATTRIBUTES)) -> Float[Array, "n a"]:
    """Directions, uniform on the sphere; another purpose gives others."""
    index, attribute = np.arange(num)[:, None], np.arange(width)
    # Box-Muller: two uniforms give a normal. 1 - u is above 0, so that its logarithm is finite.
    radius = np.sqrt(-2 * np.log(1 - uniform(seed, purpose, index, attribute, 0)))
    normal = radius * np.cos(2 * np.pi * uniform(seed, purpose, index, attribute, 1))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)
