"""`Projection`: raw features as a few numbers of one scale, fitted on training responses only."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fsa.errors import CheckpointError, FeatureError
from fsa.features.measures import MEASURES, measure
from fsa.settings import setting, settings
from fsa.types import Numbers, Text

_LARGEST = float(np.finfo(np.float32).max)
_CHUNK = 65_536  # rows made float64 at once
_NOISE = 1e-5  # of the largest spread: below it a component of float32 features is rounding


@settings
class Projection:
    """Centred features on their first principal components, each of unit spread; measures of the text beside.

    Axes: **m** responses, **d** raw feature, **c** component, **e** measure.

    Example:
        >>> projection = Projection(num_components=2, extras=["log_length"])
        >>> vectors, responses = np.eye(4, 3), ["a", "bb", "ccc", "dddd"]
        >>> projection.fit(vectors, responses).apply(vectors, responses).shape
        (4, 3)
    """

    num_components: int | None = setting(
        default=32,
        doc="Components kept, fewer (with a warning) where the data have fewer; larger keeps more of the "
        "text and lets a few hundred prompts be memorised. Null passes the raw features through.",
        at_least=1,
        at_most=10**6,
    )
    extras: Sequence[str] = setting(
        default=("log_length",),
        doc="Measures of the text beside the components, from `fsa.features.measures`.",
        one_of=tuple(MEASURES),
    )
    extras_scale: float = setting(
        default=3.0,
        doc="Spread of a measure, where a component's is 1; larger lets the model lean on measures. Beside "
        "32 components one number drowns at a scale of 1.",
        at_least=-1e9,
        at_most=1e9,
    )
    whiten: bool = setting(
        default=True,
        doc="Give each component unit spread, so that the last counts as much as the first; else all are "
        "divided by the first one's spread, and a component counts as much as it varies: then many can be "
        "kept without being memorised.",
    )
    _tensors: dict[str, NDArray[np.float64]] = field(init=False, repr=False, default_factory=dict)

    @property
    def width(self) -> int:
        """Numbers in a projected row, c + e; known once fitted or loaded."""
        return self._fitted()["components"].shape[1] + len(self.extras)

    def fit(self, vectors: Float[np.ndarray, "m d"], responses: Sequence[Text | Numbers]) -> Projection:
        """Learn centre, components and scales from these responses alone; give training responses, each once.

        Raises:
            FeatureError: There are fewer than two rows, one is not finite, or all are the same.
        """
        _check_rows(vectors, responses)
        if len(vectors) < 2:
            raise FeatureError(f"a projection needs two responses or more, {len(vectors)} came")
        measured = measure(self.extras, responses)
        spread = measured.std(axis=0)
        centre, components = self._components(vectors)
        self._tensors = {
            "centre": centre,
            "components": components,
            "extras_centre": measured.mean(axis=0),
            # 0 for a measure that is the same for all, which then says nothing
            "extras_scale": self.extras_scale * np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0),
        }
        return self

    def apply(
        self, vectors: Float[np.ndarray, "m d"], responses: Sequence[Text | Numbers]
    ) -> Float32[np.ndarray, "m w"]:
        """Projected rows, components first and measures after; a row does not depend on the others.

        Raises:
            FeatureError: Not fitted, or fitted to features of another width.
        """
        tensors = self._fitted()
        _check_rows(vectors, responses)
        if vectors.shape[1] != len(tensors["centre"]):
            raise FeatureError(
                f"features are {vectors.shape[1]} wide; the projection is of {len(tensors['centre'])}"
            )
        rows = np.empty((len(vectors), self.width), np.float32)
        # In float64: a row must not depend on how many come at once, not even in its last digit.
        for start in range(0, len(vectors), _CHUNK):
            part = slice(start, start + _CHUNK)
            centred = np.asarray(vectors[part], np.float64) - tensors["centre"]
            measured = measure(self.extras, responses[part]) - tensors["extras_centre"]
            components = centred if self.num_components is None else centred @ tensors["components"]
            rows[part] = np.concatenate([components, measured * tensors["extras_scale"]], axis=1)
        return rows

    def tensors(self) -> Mapping[str, NDArray[np.float64]]:
        """What was fitted: centre [d], components [d, c], extras_centre [e], extras_scale [e]."""
        return dict(self._fitted())

    def save(self, path: str | Path) -> None:
        """Write what was fitted as safetensors; the arguments belong into the run's configuration."""
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in self._fitted().items()}, str(path))

    @classmethod
    def load(cls, path: str | Path, **arguments: Any) -> Projection:
        """What `save` wrote, in a new projection; see `read`.

        Args:
            path: The file.
            arguments: Those that the saved projection was made with.
        """
        return cls(**arguments).read(path)

    def read(self, path: str | Path) -> Projection:
        """Take what `save` wrote, bit for bit; the arguments have to be those of the saved projection.

        Raises:
            CheckpointError: A tensor is missing, extra, of another shape or type, or not finite.
        """
        try:
            tensors = load_file(str(path))
        except (OSError, SafetensorError, TypeError, AttributeError) as error:  # numpy lacks some types
            raise CheckpointError(f"{path}: not a saved projection: {error}") from error
        self._check(path, tensors)
        self._tensors = tensors
        return self

    def _components(
        self, vectors: Float[np.ndarray, "m d"]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centre [d], and principal components divided by their spread [d, c]."""
        if self.num_components is None:
            return np.zeros(vectors.shape[1]), np.eye(vectors.shape[1])
        centre, spread, directions = principal_components(vectors)
        kept = min(self.num_components, int((spread > _NOISE * spread[0]).sum()))
        if not kept:
            raise FeatureError("all features are the same; there is nothing to project on")
        if not self.whiten:
            return centre, directions[:, :kept] / spread[0]
        if kept < self.num_components:
            warnings.warn(
                f"the features have {kept} components, not the {self.num_components} asked for", stacklevel=3
            )
        return centre, directions[:, :kept] / spread[:kept]

    def _fitted(self) -> dict[str, NDArray[np.float64]]:
        if not self._tensors:
            raise FeatureError(
                "the projection is not fitted; call fit on training responses, or load a saved one"
            )
        return self._tensors

    def _check(self, path: str | Path, tensors: Mapping[str, NDArray[np.float64]]) -> None:
        wanted = {"centre", "components", "extras_centre", "extras_scale"}
        if tensors.keys() != wanted:
            missing, extra = sorted(wanted - tensors.keys()), sorted(tensors.keys() - wanted)
            raise CheckpointError(f"{path}: missing tensors {missing}, tensors of no use {extra}")
        width, kept = tensors["centre"].size, (0, *tensors["components"].shape)[-1]
        if self.num_components is not None and kept > self.num_components:
            raise CheckpointError(f"{path}: {kept} components; the configuration says {self.num_components}")
        extras = (len(self.extras),)
        shapes = {
            "centre": (width,),
            "components": (width, width if self.num_components is None else kept),
            "extras_centre": extras,
            "extras_scale": extras,
        }
        for name, shape in shapes.items():
            tensor = tensors[name]
            came = f"{tensor.dtype} {list(tensor.shape)}"
            if tensor.shape != shape or tensor.dtype != np.float64:
                raise CheckpointError(f"{path}: {name} is {came}, wanted finite float64 {list(shape)}")
            if not (np.abs(tensor) <= _LARGEST).all():
                raise CheckpointError(
                    f"{path}: {name} is {came} with numbers that are not, wanted finite as float32"
                )


def principal_components(
    vectors: Float[np.ndarray, "m d"],
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " c"], Float64[np.ndarray, "d c"]]:
    """Centre, spread along each principal component (largest first), and the components as unit columns.

    A component's sign is chosen so that its largest loading is positive: the same on every machine. The
    spread is the population's standard deviation.
    """
    centre: NDArray[np.float64] = np.asarray(np.mean(vectors, axis=0, dtype=np.float64))
    if len(vectors) <= vectors.shape[1]:
        centred = np.asarray(vectors, np.float64) - centre
        _, singular, rows = np.linalg.svd(centred, full_matrices=False)
        spread, directions = singular / np.sqrt(len(vectors)), rows.T
    else:
        scatter = np.zeros((vectors.shape[1], vectors.shape[1]))
        for start in range(0, len(vectors), _CHUNK):
            centred = np.asarray(vectors[start : start + _CHUNK], np.float64) - centre
            scatter += centred.T @ centred
        variance, directions = np.linalg.eigh(scatter / len(vectors))
        spread, directions = np.sqrt(np.maximum(variance[::-1], 0)), directions[:, ::-1]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
    return centre, spread, directions * np.where(largest < 0, -1.0, 1.0)


def _check_rows(vectors: Float[np.ndarray, "m d"], responses: Sequence[Text | Numbers]) -> None:
    if vectors.ndim != 2 or len(vectors) != len(responses):
        raise FeatureError(
            f"features are {list(vectors.shape)}; wanted one row for each of {len(responses)} responses"
        )
    if not np.isfinite(vectors).all():
        raise FeatureError("a feature is not finite")
