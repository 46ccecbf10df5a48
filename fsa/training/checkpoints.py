"""`Checkpoints`: what a run is resumed from, and the weights of its best validation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from fsa.errors import ConfigError
from fsa.training.metrics_csv import METRICS
from fsa.training.processes import is_first_process

CHECKPOINTS = "checkpoints"
LAST, BEST = "last.ckpt", "best.ckpt"
MONITORED = "validation/nll"


class Checkpoints(Checkpoint):
    """Writes `checkpoints/last.ckpt` every few steps, and `checkpoints/best.ckpt` (weights alone).

    Either file is whole at any time: a run may be killed while one is written. Where a step is validated, the
    checkpoint comes after the validation, so that a resumed run knows its outcome.

    Args:
        out: Run folder.
        every: Steps between checkpoints.
        validate_every: Steps between validations; each is followed by a checkpoint.
    """

    def __init__(self, out: Path, every: int, validate_every: int) -> None:
        self.folder, self.every, self.validate_every = out / CHECKPOINTS, every, validate_every
        self.best: float | None = None
        self.best_step = 0
        self.is_stopped = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.should_stop |= self.is_stopped  # Lightning forgets that a run had stopped early

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step, is_step = trainer.global_step, not (batch_idx + 1) % trainer.accumulate_grad_batches
        if is_step and not step % self.every and step % self.validate_every:
            self._write(trainer, LAST)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Lightning calls checkpoint callbacks last, so early stopping has had its say.
        score: Tensor = trainer.callback_metrics[MONITORED]
        if self.best is None or not float(score) >= self.best:
            self.best, self.best_step = float(score), trainer.global_step
            self._write(trainer, BEST, weights_only=True)
        if not trainer.training and trainer.state.fn != "fit":  # before the first step: nothing to resume yet
            return
        self.is_stopped = trainer.should_stop
        self._write(trainer, LAST)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_step": self.best_step, "is_stopped": self.is_stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_step = state_dict["best"], state_dict["best_step"]
        self.is_stopped = state_dict["is_stopped"]

    def _write(self, trainer: L.Trainer, name: str, weights_only: bool = False) -> None:
        unfinished = self.folder / f"{name}.unfinished"
        trainer.save_checkpoint(unfinished, weights_only)
        if trainer.is_global_zero:
            os.replace(unfinished, self.folder / name)
        trainer.strategy.barrier()


def claim_folder(out: Path, resume: bool, overwrite: bool) -> None:
    """Make sure that a run folder may be written: before any work, and without losing a run.

    Args:
        out: Run folder.
        resume: The run in it shall go on.
        overwrite: The run in it may be lost; `resume` counts more.

    Raises:
        ConfigError: A run is there, and nobody said what shall become of it.
    """
    if any((out / CHECKPOINTS).glob("*.ckpt")) and not resume:
        if not overwrite:
            raise ConfigError(
                f"{out} holds a run already; go on with it (--resume {out}), start anew and lose it "
                "(--overwrite true), or choose another folder (--out FOLDER)"
            )
        if is_first_process():
            shutil.rmtree(out / CHECKPOINTS)
            (out / METRICS).unlink(missing_ok=True)
    if is_first_process():
        out.mkdir(parents=True, exist_ok=True)
