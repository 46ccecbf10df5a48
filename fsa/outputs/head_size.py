"""How large the heads of a configuration would be, found out before any memory is taken for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from fsa.encoders.encoder import ContextEncoder
from fsa.errors import CheckpointError
from fsa.models.scorer import Scorer
from fsa.runs.components import sizes

_ROOM = 10_000_000  # numbers that a configuration may ask for beyond those that are stored


def check_size(
    config: Mapping[str, Any], widths: tuple[int, int], weights: Path, trust_remote_code: bool = False
) -> None:
    """Refuse a configuration whose heads are far larger than what was saved of them.

    What cannot be built is let through: building it in earnest says what is wrong.

    Args:
        config: Of the model.
        widths: Of features and belief.
        weights: Its safetensors file.
        trust_remote_code: Whether class paths outside fsa may be imported.

    Raises:
        CheckpointError: Says how many numbers it asks for, and how many there are.
    """
    asked = sizes(config, _HEADS, *widths, but="reads_tokens", trust_remote_code=trust_remote_code)
    if asked <= _ROOM:
        return
    stored = _stored(weights)
    if asked > stored + _ROOM:
        raise CheckpointError(
            f"config.json: encoder and scorer would hold {asked:,} numbers, {weights.name} has {stored:,}"
        )


_HEADS: dict[str, type] = {"encoder": ContextEncoder, "scorer": Scorer}


def _stored(weights: Path) -> int:
    try:
        with safe_open(weights, "pt") as file:
            slices = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118 (no mapping)
            return sum(int(torch.Size(each.get_shape()).numel()) for each in slices)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{weights}: cannot be read: {error}") from error
