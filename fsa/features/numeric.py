"""`Numeric`: options that are numbers already are their own features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from fsa.errors import FeatureError
from fsa.features.extractor import FeatureExtractor
from fsa.types import Numbers, Text, is_numbers


class Numeric(FeatureExtractor):
    """Numbers pass through; prompts are not read.

    Args:
        width: Numbers in an option, >= 1.
    """

    def __init__(self, width: int = 1) -> None:
        if width < 1:
            raise FeatureError(f"width is {width}; an option has one number or more")
        self._width = width

    @property
    def fingerprint(self) -> str:
        return f"numeric-{self._width}"

    @property
    def width(self) -> int:
        return self._width

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> Float32[np.ndarray, "m d"]:
        rows = np.empty((len(responses), self._width), np.float32)
        for row, response in enumerate(responses):
            rows[row] = self._numbers(row, response)
        return rows

    def _numbers(self, row: int, response: Text | Numbers) -> Numbers:
        if isinstance(response, str) or (len(response) and not is_numbers(response)):
            raise FeatureError(
                f"response {row} is text, {response!r:.80}; Numeric reads numbers (use HiddenState)"
            )
        if len(response) != self._width:
            raise FeatureError(
                f"response {row} has {len(response)} numbers; features.width, the width, is {self._width}"
            )
        if not np.isfinite(response).all():  # type: ignore[arg-type]
            raise FeatureError(f"response {row} is {response}; features must be finite")
        return response  # type: ignore[return-value]
