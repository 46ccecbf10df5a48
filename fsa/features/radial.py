"""`Radial`: numbers as bumps, so that what is linear in features may favour a value in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from fsa.errors import FeatureError
from fsa.features.extractor import FeatureExtractor
from fsa.features.numeric import Numeric
from fsa.types import Numbers, Text


class Radial(FeatureExtractor):
    """Each number in [0, 1] as bumps at equal distances, exp(-(x - centre)^2 / (2 distance^2)).

    Args:
        bumps: Bumps a number, >= 2; more follow a sharper taste.
        width: Numbers in an option, >= 1; their bumps stand one after the other.

    Example:
        >>> Radial(bumps=3).extract([""], [(0.5,)]).round(2).tolist()   # centres 0, 0.5, 1
        [[0.61, 1.0, 0.61]]
    """

    def __init__(self, bumps: int = 24, width: int = 1) -> None:
        if bumps < 2:
            raise FeatureError(f"bumps is {bumps}; it is 2 or more")
        self.bumps, self._numbers = bumps, Numeric(width)

    @property
    def fingerprint(self) -> str:
        return f"radial-{self.bumps}-{self._numbers.width}"

    @property
    def width(self) -> int:
        return self.bumps * self._numbers.width

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        numbers = self._numbers.extract(prompts, responses)  # [m, w]
        from_centre = (numbers[..., None] - np.linspace(0, 1, self.bumps)) * (self.bumps - 1)
        return np.exp(-(from_centre**2) / 2).reshape(len(numbers), self.width).astype(np.float32)
