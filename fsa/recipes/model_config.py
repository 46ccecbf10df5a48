"""The plain form of a model's parts, out of that of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsa.features.projection import Projection

READER = ("encoder", "features", "projection", "d_belief")
"""What reads a user's choices."""


def model_config(config: Mapping[str, Any], d_feature: int, layout: str) -> dict[str, Any]:
    """The part of a configuration that a model is built from."""
    parts = {slot: config[slot] for slot in ("scorer", "likelihood", *READER)}
    for slot in ("scorer", "features"):
        parts[slot] = with_whole_path(parts[slot])
    if "class_path" not in parts["projection"]:  # a recipe needs none: there is one class of projections
        path = f"{Projection.__module__}.{Projection.__name__}"
        parts["projection"] = {"class_path": path, "init_args": parts["projection"]}
    num_samples = max(int(config["num_samples"]), 64)
    return {"format": layout, "d_feature": d_feature, **parts, "num_samples": num_samples}


def with_whole_path(part: Any) -> Any:
    """A part whose backbone is a folder, with its whole path: a model opens from any working folder."""
    arguments = part.get("init_args") if isinstance(part, Mapping) else None
    backbone = arguments.get("backbone") if isinstance(arguments, Mapping) else None
    if isinstance(backbone, str) and Path(backbone).expanduser().is_dir():
        whole = str(Path(backbone).expanduser().resolve())
        return {**part, "init_args": {**arguments, "backbone": whole}}  # type: ignore[dict-item]
    return part
