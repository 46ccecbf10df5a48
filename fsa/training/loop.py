"""`Loop`: how long a run trains, how it is watched, and what it writes on the way."""

from __future__ import annotations

import copy
import logging
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, RichProgressBar
from lightning.pytorch.loggers.logger import Logger

from fsa.errors import CheckpointError, ConfigError
from fsa.interrupts import finishing_steps
from fsa.settings import setting, settings
from fsa.training.averaging import Averaging
from fsa.training.checkpoints import (
    BEST,
    CHECKPOINTS,
    LAST,
    MONITORED,
    START,
    Checkpoints,
    check_shapes,
    read_checkpoint,
)
from fsa.training.metrics_csv import MetricsCsv
from fsa.training.rates import RatesAsAsked
from fsa.training.sharding import strategy_of
from fsa.training.speed import Speed
from fsa.training.wandb import finish, wandb_logger

# Not worth saying: that workers are few, that a loader is not "resumable" (ours starts where the run stands),
# that a frozen backbone is in eval mode.
_HARMLESS = (
    r".*(in eval mode at the start|num_workers|litlogger|LeafSpec|isinstance|batch_size|resumable"
    r"|find_unused_parameters|WeightAveraging).*"
)


@settings
class Loop:
    """The training loop of a run."""

    max_steps: int = setting(
        default=1000, doc="Optimiser steps of the whole run.", at_least=1, at_most=10**12
    )
    validate_every: int = setting(
        default=50,
        doc="Steps between validations; each writes a checkpoint. Weights of steps after the last validation "
        "are not looked at.",
        at_least=1,
    )
    patience: int = setting(
        default=10,
        doc="Validations without a better negative log-likelihood before the run stops early; 0 never does.",
        at_least=0,
    )
    accelerator: str = setting(
        default="auto", doc="What to train on.", one_of=("auto", "cpu", "gpu", "cuda", "mps")
    )
    devices: int | str = setting(
        default="auto",
        doc="Number of devices on each machine, or `auto` for all; of CPUs at most as there are cores.",
    )
    num_nodes: int = setting(default=1, doc="Machines.", at_least=1)
    strategy: str = setting(
        default="auto",
        doc="How several processes share the work; `fsdp` is FSDP2.",
        one_of=("auto", "ddp", "ddp_find_unused_parameters_true", "fsdp"),
    )
    precision: str = setting(
        default="32-true",
        doc="Of numbers; mixed is autocast over fp32 weights.",
        one_of=("32-true", "16-mixed", "bf16-mixed"),
    )
    accumulate: int = setting(
        default=1,
        doc="Batches that a step's users are shared out over, to save memory; the step stays the same.",
        at_least=1,
    )
    average: float = setting(
        default=0.0,
        doc="Decay a step of a running mean of the weights, which is validated and kept in place of the last "
        "weights; 0 keeps these. Not with `fsdp`.",
        at_least=0,
        below=1,
    )
    clip: float = setting(default=1.0, doc="Largest norm of the gradient; 0 does not clip.", at_least=0)
    progress: bool = setting(default=True, doc="Show a progress bar.")
    checkpoint_every: int | None = setting(
        default=None,
        doc="Steps between checkpoints to resume from; null writes them at validations alone.",
        at_least=1,
    )
    wandb: str | None = setting(
        default=None, doc="Project of Weights & Biases to log to as well; offline where there is no key."
    )

    def check(self) -> None:
        devices = str(self.devices)
        if devices not in ("auto", "-1") and not (devices.isdigit() and int(devices) > 0):
            raise ConfigError(f"devices is {self.devices!r}; it must be a number >= 1, or auto")
        if self.average and self.strategy == "fsdp":
            raise ConfigError(
                "average is a mean of whole weights, which fsdp has not: set average to 0, or use ddp"
            )
        cores = os.cpu_count() or 1
        if self._on_cpu and devices.isdigit() and int(devices) > cores:
            raise ConfigError(
                f"devices is {devices}, but this machine has {cores} CPU cores; each is a process of its own"
            )

    @property
    def _on_cpu(self) -> bool:
        has_other = torch.cuda.is_available() or torch.backends.mps.is_available()
        return self.accelerator == "cpu" or (self.accelerator == "auto" and not has_other)

    def fit(
        self,
        module: L.LightningModule,
        data: L.LightningDataModule,
        out: Path,
        resume: bool = False,
        from_start: bool = False,
    ) -> dict[str, Any]:
        """Train, and leave the module with the weights of its best validation.

        Args:
            module: What to train.
            data: What to train on.
            out: Run folder; gets `metrics.csv` and `checkpoints/`.
            resume: Go on from the last checkpoint in the run folder, if there is one.
            from_start: Let the weights before the first step be a candidate for the best, where there is one
                process: there need not be anything to learn.

        Returns:
            What to remember of the run: steps taken, best validation, parameters, speed (of tokens).
        """
        every = min(self.validate_every, self.max_steps)
        averaging = Averaging(self.average) if self.average else None
        keeper = Checkpoints(out, self.checkpoint_every or self.validate_every, every, averaging)
        speed = Speed()
        callbacks: list[Callback] = [keeper, speed, RatesAsAsked(), *([averaging] if averaging else [])]
        if self.patience:
            # What is not finite ends the run with an error, see `Checkpoints`; it does not stop it early.
            callbacks.append(EarlyStopping(MONITORED, patience=self.patience, check_finite=False))
        if self.progress:
            callbacks.append(_StepBar(leave=True, console_kwargs={"stderr": True}))
        last = out / CHECKPOINTS / LAST
        goes_on = resume and last.exists()
        taken = _steps_taken(out, module) if resume else 0
        loggers: list[Logger] = [MetricsCsv(out, taken)]
        if self.wandb:
            loggers.append(wandb_logger(self.wandb, out))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_HARMLESS)
            trainer = self._trainer(every, callbacks, loggers)
            # FSDP2 takes a model apart; what the caller holds stays whole.
            trained = copy.deepcopy(module) if self.strategy == "fsdp" else module
            waiting = finishing_steps() if trainer.world_size == 1 else nullcontext()
            try:
                with waiting:
                    if from_start and not goes_on and trainer.world_size == 1:
                        trainer.loggers = []  # metrics.csv has the steps that were taken
                        trainer.validate(trained, data, verbose=False)
                        trainer.loggers = loggers
                    trainer.fit(trained, data, ckpt_path=str(last) if goes_on else None, weights_only=True)
            finally:
                finish(loggers)
        best = read_checkpoint(out / CHECKPOINTS / BEST)
        module.load_state_dict(best["state_dict"])
        module.cpu()
        return {
            "steps": trainer.global_step,
            "best_step": keeper.best_step,
            "validation_nll": keeper.best,
            "parameters": sum(p.numel() for p in module.parameters()),
            **speed.to_json(),
        }

    def _trainer(self, every: int, callbacks: list[Callback], loggers: list[Logger]) -> L.Trainer:
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        try:
            return self._lightning(every, callbacks, loggers)
        except (MisconfigurationException, RuntimeError, ValueError) as error:
            raise ConfigError(f"loop: {error}") from error

    def _lightning(self, every: int, callbacks: list[Callback], loggers: list[Logger]) -> L.Trainer:
        return L.Trainer(
            accelerator=self.accelerator,
            devices=self.devices,
            num_nodes=self.num_nodes,
            precision=self.precision,  # type: ignore[arg-type]
            strategy=strategy_of(self.strategy, self._processes),
            max_steps=self.max_steps,
            val_check_interval=every * self.accumulate,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            log_every_n_steps=every,
            accumulate_grad_batches=self.accumulate,
            gradient_clip_val=self.clip or None,
            callbacks=callbacks,
            logger=loggers,
            enable_progress_bar=self.progress,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )

    @property
    def _processes(self) -> int:
        devices = str(self.devices)
        each = max(torch.cuda.device_count(), 1) if devices in ("auto", "-1") else int(devices)
        return each * self.num_nodes


class _StepBar(RichProgressBar):
    """Steps of the run; its one endless epoch is nothing to tell."""

    def _get_train_description(self, current_epoch: int) -> str:
        return "Training"


def _steps_taken(out: Path, module: L.LightningModule) -> int:
    """Steps that a run had taken at its last checkpoint; all it needs to go on is looked at here.

    Raises:
        CheckpointError: A checkpoint is damaged, missing, or of another model.
    """
    last, best = (out / CHECKPOINTS / name for name in (LAST, BEST))
    if not last.exists():
        if best.exists():
            raise CheckpointError(f"{last}: missing, while {BEST} is there; the run cannot go on")
        warnings.warn(f"{out}: no checkpoint was written yet; training starts at step 0", stacklevel=3)
        return 0
    content = read_checkpoint(last)
    check_shapes(last, content["state_dict"], module)
    if _has_best(content) and not (best.exists() or (out / CHECKPOINTS / START).exists()):
        raise CheckpointError(f"{best}: missing, though a validation came before the last checkpoint")
    if best.exists():
        check_shapes(best, read_checkpoint(best)["state_dict"], module)
    return int(content["global_step"])


def _has_best(content: dict[str, Any]) -> bool:
    """Whether a checkpoint knows of a validation."""
    states = content.get("callbacks")
    found = states.values() if isinstance(states, dict) else ()
    return any(isinstance(state, dict) and state.get("best") is not None for state in found)
