"""`Measured`: measures of a text, such as how long it is, as all that a model sees of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from fsa.features.extractor import FeatureExtractor
from fsa.features.measures import measure
from fsa.types import Numbers, Text


class Measured(FeatureExtractor):
    """Measures of each response, without a backbone: what the simplest of rivals sees.

    Args:
        names: Measures from `fsa.features.measures`, one or more.

    Raises:
        FeatureError: A name is unknown.

    Example:
        >>> Measured(["log_words"]).extract([""], ["one two three"]).shape
        (1, 1)
    """

    def __init__(self, names: Sequence[str] = ("log_length",)) -> None:
        measure(names, [])  # names an unknown one
        self.names = list(names)

    @property
    def fingerprint(self) -> str:
        return "measured-" + "-".join(self.names)

    @property
    def width(self) -> int:
        return len(self.names)

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        return measure(self.names, responses).astype(np.float32)
