"""`RegressorJudge`: a ridge regression on frozen features, fitted to labelled probes in seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fsa.errors import CheckpointError, ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.judge.judge import Cost, Judge
from fsa.judge.rows import ProbeRows, distinct_rows
from fsa.judge.scores import AttributeScores, Labelled, Probe

_JSON, _WEIGHTS, _LAYOUT = "regressor.json", "regressor.safetensors", "fsa.regressor.1"
_EDGE = 0.05  # scores this near 0 or 1 are bent, so that none leaves the range and none become equal


class RegressorJudge(Judge):
    """Scores responses by comparison, without a language model that writes.

    The score of a response is the level of its probe plus its gap to that level. The level is a ridge
    regression on the mean features of the probe's responses; the gap is another one, without intercept, on
    the response's features less that mean. So ranking the responses to one prompt is learned apart from
    telling prompts apart, and each is regularised as much as it needs. Letters and order do not matter, and
    equal responses get equal scores.

    Args:
        features: What reads a response; None for measures alone.
        measures: Measures of the text beside the features.
        num_components: Principal components of the features kept.
        measures_scale: Spread of a measure, where a component's is 1; larger trusts measures more.
        level_penalty: Mean squared error that a squared weight of the level costs, > 0; larger is flatter.
        gap_penalty: The same for the gap.

    Raises:
        ConfigError: A penalty is not positive, or there is neither feature nor measure.
    """

    def __init__(
        self,
        features: FeatureExtractor | None = None,
        measures: Sequence[str] = ("log_length",),
        num_components: int = 32,
        measures_scale: float = 3.0,
        level_penalty: float = 1.0,
        gap_penalty: float = 1.0,
    ) -> None:
        for name, value in (("level_penalty", level_penalty), ("gap_penalty", gap_penalty)):
            if not value > 0:
                raise ConfigError(f"{name} must be > 0, came {value}")
        self.level_penalty, self.gap_penalty = level_penalty, gap_penalty
        self._rows = ProbeRows(features, measures, num_components, measures_scale)
        self._attributes: tuple[str, ...] = ()
        self._weights: dict[str, NDArray[np.float64]] = {}
        self._seconds = 0.0

    @property
    def attributes(self) -> tuple[str, ...]:
        return self._attributes

    @property
    def cost(self) -> Cost:
        return Cost(seconds=self._seconds)

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:
        if len(labelled) < 2:
            raise ConfigError(f"a regressor is fitted to two labelled probes or more, came {len(labelled)}")
        self._attributes = labelled[0].labels.attributes
        probes = [each.probe for each in labelled]
        self._rows.fit(probes, progress)
        rows = self._rows.of(probes)
        scores = [each.labels.columns(self._attributes) for each in labelled]
        level, level_scores = (np.array([part.mean(0) for part in parts]) for parts in (rows, scores))
        centre, intercept = level.mean(0), level_scores.mean(0)
        self._weights = {
            "centre": centre,
            "intercept": intercept,
            "level": ridge(level - centre, level_scores - intercept, self.level_penalty),
            "gap": ridge(_gaps(rows), _gaps(scores), self.gap_penalty),
        }

    def score(self, probes: Sequence[Probe], progress: bool = False) -> list[AttributeScores]:
        if not self._weights:
            raise ConfigError("the regressor has learned nothing; call learn, or load a saved one")
        started = time.monotonic()
        rows = self._rows.of(probes, progress)
        scores = [self._score(probe, part) for probe, part in zip(probes, rows, strict=True)]
        self._seconds += time.monotonic() - started
        return scores

    def save(self, folder: str | Path) -> None:
        """Write `regressor.json` and two safetensors files.

        Raises:
            ConfigError: Nothing was learned yet, or the features are of a kind that cannot be named in JSON.
        """
        if not self._weights:
            raise ConfigError("a regressor is saved after it has learned; call learn first")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        penalties = {"level_penalty": self.level_penalty, "gap_penalty": self.gap_penalty}
        about = {"layout": _LAYOUT, "attributes": list(self._attributes), **penalties}
        about["rows"] = self._rows.save(folder)
        save_file({n: np.ascontiguousarray(w) for n, w in self._weights.items()}, str(folder / _WEIGHTS))
        (folder / _JSON).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> RegressorJudge:
        """What `save` wrote.

        Raises:
            CheckpointError: A file is missing or holds something else.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / _JSON).read_text(encoding="utf-8"))
            judge = cls(level_penalty=about["level_penalty"], gap_penalty=about["gap_penalty"])
            judge._attributes = tuple(about["attributes"])
            judge._weights = load_file(str(folder / _WEIGHTS))
            read = about["rows"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise CheckpointError(f"{folder}: not a saved regressor: {error}") from error
        judge._rows = ProbeRows.load(folder, read)
        judge._check_weights(folder / _WEIGHTS)
        return judge

    def _score(self, probe: Probe, rows: Float[np.ndarray, "k d"]) -> AttributeScores:
        rows, counts, where = distinct_rows(probe, rows)
        middle = counts @ rows / counts.sum()
        weights = self._weights
        level = (middle - weights["centre"]) @ weights["level"] + weights["intercept"]
        return AttributeScores(self._attributes, bent(level + (rows - middle) @ weights["gap"])[where])

    def _check_weights(self, path: Path) -> None:
        width, count = self._rows.width, len(self._attributes)
        shapes = {"centre": (width,), "intercept": (count,), "level": (width, count), "gap": (width, count)}
        for name, shape in shapes.items():
            tensor = self._weights.get(name)
            if tensor is None or tensor.shape != shape or not np.isfinite(tensor).all():
                came = "nothing" if tensor is None else str(list(tensor.shape))
                raise CheckpointError(f"{path}: {name} must be finite {list(shape)}, came {came}")


def ridge(
    rows: Float[np.ndarray, "m d"], wanted: Float[np.ndarray, "m a"], penalty: float
) -> Float[np.ndarray, "d a"]:
    """Weights that minimise the mean squared error plus `penalty` times the squared weights."""
    scatter = rows.T @ rows / len(rows) + penalty * np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(scatter, rows.T @ wanted / len(rows)))


def bent(scores: Float[np.ndarray, "*rows"]) -> Float[np.ndarray, "*rows"]:
    """Scores within 0 to 1: as they are from 0.05 to 0.95, outside bent smoothly, never downwards."""
    low = _EDGE * np.exp(np.minimum(scores - _EDGE, 0) / _EDGE)
    high = 1 - _EDGE * np.exp(np.minimum(1 - _EDGE - scores, 0) / _EDGE)
    return np.where(scores < _EDGE, low, np.where(scores > 1 - _EDGE, high, scores))


def _gaps(parts: Sequence[Float[np.ndarray, "k d"]]) -> Float[np.ndarray, "m d"]:
    """Every response's row less its probe's mean; a probe weighs the same however many responses it has."""
    return np.concatenate([(part - part.mean(0)) / np.sqrt(len(part)) for part in parts]) * np.sqrt(
        np.mean([len(part) for part in parts])
    )
