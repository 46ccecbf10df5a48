"""`FeatureExtractor`: what turns responses to prompts into vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from fsa.types import Numbers, Text


class FeatureExtractor(ABC):
    """Turns every (prompt, response) into one vector. It is frozen: nothing in it is trained.

    Axes: **m** responses, **d** feature.

    Attributes:
        num_unkept: Vectors that its store could not take, so far; 0 where it keeps none.
    """

    num_unkept: int = 0

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Names the function from text to vector: it changes whenever the vectors could."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Length d of a vector."""

    @abstractmethod
    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        """One row per (prompt, response), in the order given.

        Args:
            prompts: What the responses respond to, one each.
            responses: All text, or all numbers.
            progress: Show a bar where this takes more than about two seconds.

        Raises:
            FeatureError: The responses are of a kind that this extractor does not read.
        """
