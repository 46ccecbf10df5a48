"""`Speed`: how fast a run that reads tokens trains, and the GPU memory that it takes."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from fsa.types import EpisodeBatch

_WARM = 3  # batches before the clock starts


class Speed(Callback):
    """Tokens a second of training steps alone, and a GPU's peak memory.

    Nothing waits for the device but where the clock starts and stops: before training, around validations.
    """

    def __init__(self) -> None:
        self._batches = 0
        self._tokens: Tensor | int = 0
        self._seconds = 0.0
        self._since: float | None = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not isinstance(batch, EpisodeBatch) or batch.target.tokens is None:
            return
        self._batches += 1
        if self._batches > _WARM:
            self._tokens = self._tokens + batch.target.tokens.mask.sum()
            if self._since is None:
                self._since = _now(pl_module.device)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop(pl_module.device)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop(pl_module.device)

    def _stop(self, device: torch.device) -> None:
        if self._since is not None:
            self._seconds += _now(device) - self._since
            self._since = None

    def to_json(self) -> dict[str, Any]:
        """As meta.json has it, of this process; nothing of a run without tokens, or of few steps.

        Padding does not count as tokens. `gpu_gib` is the most that was allocated at once.
        """
        if not self._seconds:
            return {}
        found: dict[str, float] = {"tokens_per_second": round(int(self._tokens) / self._seconds)}
        if torch.cuda.is_available():
            found["gpu_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        return {"speed": found}


def _now(device: torch.device) -> float:
    """Seconds, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
