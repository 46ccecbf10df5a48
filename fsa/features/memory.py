"""`FeatureMemory`: the numbers of texts that were read last, in memory alone."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8


class FeatureMemory:
    """Vectors by 16-byte keys, as `FeatureStore` has them; no text, and nothing that outlives the process.

    Args:
        width: Numbers in a vector.
        most: Vectors to keep, >= 1; those that were not asked for longest go first.
    """

    def __init__(self, width: int, most: int) -> None:
        self.width, self.most = width, most
        self._kept: OrderedDict[bytes, Float32[np.ndarray, " d"]] = OrderedDict()
        self._held: dict[bytes, Float32[np.ndarray, " d"]] = {}

    def __len__(self) -> int:
        """Vectors that are kept."""
        return len(self._kept.keys() | self._held.keys())

    def get(
        self, keys: UInt8[np.ndarray, "m 16"]
    ) -> tuple[Bool[np.ndarray, " m"], Float32[np.ndarray, "m d"]]:
        """Which keys are known, and their vectors; zeros for those that are not."""
        known = np.zeros(len(keys), bool)
        vectors = np.zeros((len(keys), self.width), np.float32)
        for place, key in enumerate(keys):
            name = key.tobytes()
            if name in self._kept:
                self._kept.move_to_end(name)
            vector = self._held.get(name, self._kept.get(name))
            if vector is not None:
                known[place], vectors[place] = True, vector
        return known, vectors

    def append(self, keys: UInt8[np.ndarray, "m 16"], vectors: Float[np.ndarray, "m d"]) -> None:
        """Keep vectors under their keys."""
        for key, vector in zip(keys, np.array(vectors, np.float32), strict=True):
            self._kept[key.tobytes()] = vector.copy()  # a view would hold the whole batch
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def hold(self, keys: UInt8[np.ndarray, "m 16"]) -> None:
        """Keep what is known of these, beyond `most` and whatever is forgotten."""
        names = [key.tobytes() for key in keys]
        self._held |= {name: self._kept[name] for name in names if name in self._kept}

    def clear(self) -> None:
        """Forget everything but what is held."""
        self._kept.clear()
