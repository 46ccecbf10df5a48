"""`Checkpoints`: what a run is resumed from, and the weights of its best validation."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from fsa.errors import CheckpointError, DivergedError, OutputError
from fsa.files import put_in_place
from fsa.interrupts import Interrupted, interrupt_asked, take_signals_back
from fsa.training.averaging import Averaging

CHECKPOINTS = "checkpoints"
LAST, BEST = "last.ckpt", "best.ckpt"
START = "start.ckpt"  # weights before the first step, until a validation shows whether they are the best
MONITORED = "validation/nll"
_BLOWN_UP = 1e3  # times the least loss of a step, and the same in nats: no healthy training comes near it


class Checkpoints(Checkpoint):
    """Writes `checkpoints/last.ckpt` every few steps, and `checkpoints/best.ckpt` (weights alone).

    Either file is whole at any time: a run may be killed while one is written. Where a step is validated, the
    checkpoint comes after the validation, so that a resumed run knows its outcome.

    Args:
        out: Run folder.
        every: Steps between checkpoints.
        validate_every: Steps between validations; each is followed by a checkpoint.
        averaging: Keeps the mean of the weights that is validated; None where the weights themselves are.
    """

    def __init__(
        self, out: Path, every: int, validate_every: int, averaging: Averaging | None = None
    ) -> None:
        self.averaging = averaging
        self.folder, self.every, self.validate_every = out / CHECKPOINTS, every, validate_every
        self.best: float | None = None
        self.best_step = 0
        self.is_stopped = False
        self._loss = torch.zeros(())  # sum of the losses of this process
        self._least, self._latest = torch.full((), torch.inf), torch.zeros(())  # of single steps

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.world_size == 1:
            take_signals_back()
        trainer.should_stop |= self.is_stopped  # Lightning forgets that a run had stopped early

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step, is_step = trainer.global_step, not (batch_idx + 1) % trainer.accumulate_grad_batches
        self._latest = outputs["loss"].detach().float()
        self._least = torch.minimum(self._least.to(self._latest), self._latest)
        self._loss = self._loss + self._latest  # one NaN makes every later sum NaN
        if self._loss.device.type == "cpu":  # elsewhere looking would make the device wait
            self._refuse_diverged(trainer, self._loss, "the loss")
        if not is_step or not step % self.validate_every:
            return
        if not step % self.every:
            self._write(trainer, LAST)
        self._end_if_asked(trainer, is_written=not step % self.every)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Lightning calls checkpoint callbacks last, so early stopping has had its say.
        score: Tensor = trainer.callback_metrics[MONITORED]
        self._refuse_diverged(trainer, score, "the validation's negative log-likelihood")
        is_better = self.best is None or not float(score) >= self.best
        if is_better:
            self.best, self.best_step = float(score), trainer.global_step
        if trainer.state.fn != "fit":  # before the first step: nothing to resume yet
            self._write(trainer, START, weights_only=True)
            return
        self._refuse_blown_up(trainer)
        if is_better:
            with self.averaging.in_place(trainer, pl_module) if self.averaging else nullcontext():
                self._write(trainer, BEST, weights_only=True)
        elif trainer.is_global_zero and not (self.folder / BEST).exists():
            put_in_place(self.folder / START, self.folder / BEST)
        if trainer.is_global_zero:
            (self.folder / START).unlink(missing_ok=True)
        trainer.strategy.barrier()
        self.is_stopped = trainer.should_stop
        self._write(trainer, LAST)
        self._end_if_asked(trainer, is_written=True)

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Call an error by its cause, where numbers had grown beyond what a matrix can be solved with."""
        if type(exception).__name__ in ("LinAlgError", "_LinAlgError"):
            nothing = torch.full((), torch.nan)
            self._refuse_diverged(trainer, nothing, f"what a matrix was solved for ({exception!s:.80})")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_step": self.best_step, "is_stopped": self.is_stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_step = state_dict["best"], state_dict["best_step"]
        self.is_stopped = state_dict["is_stopped"]

    def _write(self, trainer: L.Trainer, name: str, weights_only: bool = False) -> None:
        self._refuse_diverged(trainer, self._loss, "the loss")
        for parameter in trainer.model.parameters() if trainer.model else ():
            if parameter.requires_grad:
                self._refuse_diverged(trainer, parameter.detach(), "a weight")
        unfinished = self.folder / f"{name}.unfinished"
        try:
            trainer.save_checkpoint(unfinished, weights_only)
            if trainer.is_global_zero:
                put_in_place(unfinished, self.folder / name)
        except (OSError, RuntimeError) as error:  # torch says RuntimeError of a full disk
            unfinished.unlink(missing_ok=True)
            raise OutputError(f"{self.folder / name}: cannot be written: {error!s:.200}") from error
        trainer.strategy.barrier()

    def _refuse_blown_up(self, trainer: L.Trainer) -> None:
        """A lapse rate that has swallowed everything leaves validation at chance, however far weights are."""
        if self._latest > _BLOWN_UP * self._least.clamp(min=1):
            least, latest = float(self._least), float(self._latest)
            self._refuse(trainer, f"the loss has grown from {least:.3g} to {latest:.3g}")

    def _refuse_diverged(self, trainer: L.Trainer, value: Tensor, what: str) -> None:
        if not value.isfinite().all():
            self._refuse(trainer, f"{what} is not finite")

    def _refuse(self, trainer: L.Trainer, what: str) -> None:
        rates = [group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups]
        raise DivergedError(
            f"{what} at step {trainer.global_step}, with learning rate (lr) {max(rates, default=0):.3g}: "
            f"training diverged. Checkpoints of before are kept in {self.folder}; lower --optimizer.lr"
        )

    def _end_if_asked(self, trainer: L.Trainer, is_written: bool) -> None:
        """Leave a checkpoint and stop, where Ctrl-C or SIGTERM came since the last step."""
        signum = interrupt_asked()
        if signum is None or trainer.world_size > 1:  # several processes would not stop at the same step
            return
        if not is_written:
            self._write(trainer, LAST)
        # A stage of a run has a folder in the run's.
        run = next(
            (path for path in self.folder.parents if (path / "config.yaml").exists()), self.folder.parent
        )
        raise Interrupted(
            signum, f"a checkpoint of step {trainer.global_step} is written; go on: --resume {run}"
        )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint as it was written; nothing is unpickled but tensors and plain values.

    Raises:
        CheckpointError: It cannot be read, some byte of it has changed, or it is something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # what torch.save writes; it stores a checksum of each part
            if damaged := archive.testzip():
                raise CheckpointError(f"{path}: damaged: {damaged} is not what was written")
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except CheckpointError:
        raise
    except Exception as error:  # what torch raises on damaged files is of every kind
        raise CheckpointError(f"{path}: cannot be read: {error!s:.200}") from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise CheckpointError(f"{path}: should hold a state_dict, came {type(content).__name__}")
    if not isinstance(content.get("global_step"), int):
        raise CheckpointError(f"{path}: should hold a global_step")
    return content


def check_shapes(path: Path, saved: Mapping[str, Any], module: L.LightningModule) -> None:
    """Refuse a checkpoint of another model.

    Raises:
        CheckpointError: Names the first tensors that differ.
    """
    wanted = module.state_dict()
    wrong = [
        f"{name} is {'only in the checkpoint' if name in saved else 'missing'}"
        for name in saved.keys() ^ wanted.keys()
    ]
    wrong += [
        f"{name} is {list(saved[name].shape)}, should be {list(wanted[name].shape)}"
        for name in saved.keys() & wanted.keys()
        if saved[name].shape != wanted[name].shape
    ]
    if wrong:
        raise CheckpointError(f"{path}: of another model: " + "; ".join(sorted(wrong)[:5]))
