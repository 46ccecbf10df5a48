"""`ProbeRows`: a probe's responses as a few numbers each, for judges that are fitted and not asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from fsa.errors import CheckpointError, ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.features.hidden_state import HiddenState
from fsa.features.projection import Projection
from fsa.features.rendering import plain
from fsa.judge.scores import Probe

_FILE = "projection.safetensors"
_HIDDEN_STATE = ("backbone", "pooling", "reads", "max_tokens", "dtype")


class ProbeRows:
    """Principal components of frozen features with measures of the text beside them.

    Args:
        features: What reads a response; None for measures alone.
        measures: Measures of the text, from `fsa.features.measures`.
        num_components: Principal components of the features kept.
        measures_scale: Spread of a measure, where a component's is 1; larger trusts measures more.

    Raises:
        ConfigError: There is neither feature nor measure.
    """

    def __init__(
        self,
        features: FeatureExtractor | None,
        measures: Sequence[str],
        num_components: int,
        measures_scale: float,
    ) -> None:
        if features is None and not measures:
            raise ConfigError("a fitted judge needs features or measures, came neither")
        self.features, self.measures = features, tuple(measures)
        self.num_components, self.measures_scale = num_components, measures_scale
        self._projection = Projection(**self._arguments())

    @property
    def width(self) -> int:
        """Numbers in a row; known once fitted or loaded."""
        return self._projection.width

    def fit(self, probes: Sequence[Probe], progress: bool = False) -> None:
        """Learn components and scales from these probes' responses alone."""
        vectors, texts = self._read(probes, progress)
        self._projection = Projection(**self._arguments()).fit(vectors, texts)

    def of(self, probes: Sequence[Probe], progress: bool = False) -> list[Float[np.ndarray, "k d"]]:
        """Rows of every probe's responses."""
        if not probes:
            return []
        vectors, texts = self._read(probes, progress)
        rows = self._projection.apply(vectors, texts).astype(np.float64)
        ends = np.cumsum([len(probe.responses) for probe in probes])
        return np.split(rows, ends[:-1])

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what was fitted; returns what `load` needs beside it, as JSON allows it.

        Raises:
            ConfigError: The features are of a kind that cannot be named in JSON.
        """
        if self.features is not None and type(self.features) is not HiddenState:
            raise ConfigError(f"only HiddenState features can be saved, came {type(self.features).__name__}")
        self._projection.save(folder / _FILE)
        read = self.features and {name: getattr(self.features, name) for name in _HIDDEN_STATE}
        scale, count = self.measures_scale, self.num_components
        return {
            "features": read,
            "measures": list(self.measures),
            "num_components": count,
            "measures_scale": scale,
        }

    @classmethod
    def load(cls, folder: Path, about: dict[str, Any]) -> ProbeRows:
        """What `save` wrote and returned.

        Raises:
            CheckpointError: A file is missing or holds something else.
        """
        try:
            read = about["features"]
            features = None if read is None else HiddenState(**read)
            rows = cls(features, about["measures"], about["num_components"], about["measures_scale"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder}: features cannot be made from {about}: {error}") from error
        rows._projection = Projection.load(folder / _FILE, **rows._arguments())
        return rows

    def _read(self, probes: Sequence[Probe], progress: bool) -> tuple[NDArray[np.float32], list[str]]:
        responses = [response for probe in probes for response in probe.responses]
        texts = [plain(response) for response in responses]
        if self.features is None:
            return np.zeros((len(texts), 0), np.float32), texts
        prompts = [probe.prompt for probe in probes for _ in probe.responses]
        return self.features.extract(prompts, responses, progress=progress), texts

    def _arguments(self) -> dict[str, Any]:
        components = None if self.features is None else self.num_components
        extras, scale = list(self.measures), self.measures_scale
        return {"num_components": components, "extras": extras, "extras_scale": scale}


def distinct_rows(
    probe: Probe, rows: Float[np.ndarray, "k d"]
) -> tuple[Float[np.ndarray, "u d"], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the different texts in alphabetical order, how often each comes, and where each response is.

    What is computed from these cannot depend, not even in the last digit, on the order of the responses, and
    is the same for equal ones.
    """
    texts = np.array([plain(response) for response in probe.responses], dtype=object)
    _, first, where, counts = np.unique(texts, return_index=True, return_inverse=True, return_counts=True)
    return rows[first], counts, where.reshape(-1)
