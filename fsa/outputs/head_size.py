"""`heads`: encoder and scorer of a configuration, whose size is known before memory is taken for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from fsa.encoders.encoder import ContextEncoder
from fsa.errors import CheckpointError
from fsa.models.scorer import Scorer
from fsa.runs.components import without_memory

_ROOM = 10_000_000  # numbers that a configuration may ask for beyond those that are stored


HEADS: dict[str, type] = {"encoder": ContextEncoder, "scorer": Scorer}


def heads(
    config: Mapping[str, Any], widths: tuple[int, int], weights: Path, trust_remote_code: bool = False
) -> dict[str, Any]:
    """Heads that wait for what was saved of them; a configuration that asks for far more is refused.

    Left out is what has to be built in earnest: what cannot be built so (then an error says why), what holds
    numbers that are not saved, and language models, which take theirs from a backbone.

    Args:
        config: Of the model.
        widths: Of features and belief.
        weights: Its safetensors file.
        trust_remote_code: Whether class paths outside fsa may be imported.

    Raises:
        CheckpointError: Says how many numbers it asks for, and how many there are.
    """
    found = without_memory(config, HEADS, *widths, but="reads_tokens", trust_remote_code=trust_remote_code)
    tensors = {slot: [*head.parameters(), *head.buffers()] for slot, head in found.items()}
    asked = sum(tensor.numel() for each in tensors.values() for tensor in each)
    if asked > _ROOM and asked > (stored := _stored(weights)) + _ROOM:
        raise CheckpointError(
            f"config.json: encoder and scorer would hold {asked:,} numbers, {weights.name} has {stored:,}"
        )
    return {
        slot: head.to_empty(device="cpu")
        for slot, head in found.items()
        if len(tensors[slot]) == len(head.state_dict()) and not _has_loose(head)
    }


def _has_loose(head: torch.nn.Module) -> bool:
    """Whether some part keeps a tensor that is neither a parameter nor a buffer, and so is not saved."""
    return any(isinstance(each, torch.Tensor) for part in head.modules() for each in vars(part).values())


def _stored(weights: Path) -> int:
    try:
        with safe_open(weights, "pt") as file:
            slices = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118 (no mapping)
            return sum(int(torch.Size(each.get_shape()).numel()) for each in slices)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{weights}: cannot be read: {error}") from error
