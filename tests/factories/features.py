"""`Hashed`: features of a text that cost nothing, for tests that train on text."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from fsa.features.extractor import FeatureExtractor
from fsa.types import Numbers, Text


class Hashed(FeatureExtractor):
    """How long a text is, and how often its words fall into each of a few buckets."""

    fingerprint = "hashed-words"
    width = 33

    def extract(
        self, prompts: Sequence[Text], responses: Sequence[Text | Numbers], progress: bool = False
    ) -> np.ndarray:
        rows = np.zeros((len(responses), self.width), np.float32)
        for row, response in zip(rows, responses, strict=True):
            words = str(response).lower().split()
            row[0] = np.log1p(len(str(response)))
            buckets = np.bincount(
                [crc32(word.encode()) % (self.width - 1) for word in words], None, self.width - 1
            )
            row[1:] = buckets / max(len(words), 1)
        return rows
