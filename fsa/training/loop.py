"""`Loop`: how long a run trains, how it is watched, and what it writes on the way."""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, RichProgressBar
from lightning.pytorch.loggers.logger import Logger

from fsa.errors import ConfigError
from fsa.training.checkpoints import BEST, CHECKPOINTS, LAST, MONITORED, Checkpoints
from fsa.training.metrics_csv import MetricsCsv
from fsa.training.sharding import strategy_of
from fsa.training.wandb import finish, wandb_logger

# Not worth saying: that workers are few, that a loader is not "resumable" (ours starts where the run stands),
# that a frozen backbone is in eval mode.
_HARMLESS = (
    r".*(in eval mode at the start|num_workers|litlogger|LeafSpec|isinstance|batch_size|resumable"
    r"|find_unused_parameters).*"
)


class Loop:
    """The training loop of a run.

    Args:
        max_steps: Optimiser steps of the whole run.
        validate_every: Steps between validations; each writes a checkpoint. Weights of steps after the last
            validation are not looked at.
        patience: Validations without a better negative log-likelihood before the run stops early; 0 never
            stops early.
        accelerator: As Lightning has it: `auto`, `cpu`, `gpu`.
        devices: Number of devices on each machine, or `auto` for all.
        num_nodes: Machines.
        strategy: As Lightning has it: `auto`, `ddp`; or `fsdp`, which is FSDP2.
        precision: As Lightning has it: `32-true`, `bf16-mixed` (bf16 autocast over fp32 weights).
        accumulate: Batches that a step's users are shared out over, to save memory; the step stays the same.
        clip: Largest norm of the gradient; 0 does not clip.
        progress: Show a progress bar.
        checkpoint_every: Steps between checkpoints to resume from; None writes them at validations alone.
        wandb: Project of Weights & Biases to log to as well; offline where there is no key.

    Raises:
        ConfigError: A number is below what makes sense.
    """

    def __init__(
        self,
        max_steps: int = 1000,
        validate_every: int = 50,
        patience: int = 10,
        accelerator: str = "auto",
        devices: int | str = "auto",
        num_nodes: int = 1,
        strategy: str = "auto",
        precision: str = "32-true",
        accumulate: int = 1,
        clip: float = 1.0,
        progress: bool = True,
        checkpoint_every: int | None = None,
        wandb: str | None = None,
    ) -> None:
        numbers = {"max_steps": max_steps, "validate_every": validate_every, "accumulate": accumulate}
        for name, number in {**numbers, "checkpoint_every": checkpoint_every}.items():
            if number is not None and number < 1:
                raise ConfigError(f"{name} is {number}; it is 1 or more")
        self.max_steps, self.validate_every, self.patience = max_steps, validate_every, patience
        self.hardware: dict[str, Any] = {
            "accelerator": accelerator,
            "devices": devices,
            "num_nodes": num_nodes,
            "precision": precision,
        }
        self.strategy, self.accumulate, self.clip = strategy, accumulate, clip
        self.progress, self.wandb = progress, wandb
        self.checkpoint_every = checkpoint_every or validate_every

    def fit(
        self, module: L.LightningModule, data: L.LightningDataModule, out: Path, resume: bool = False
    ) -> dict[str, Any]:
        """Train, and leave the module with the weights of its best validation.

        Args:
            module: What to train.
            data: What to train on.
            out: Run folder; gets `metrics.csv` and `checkpoints/`.
            resume: Go on from the last checkpoint in the run folder, if there is one.

        Returns:
            What to remember of the run: steps taken, best validation, parameters.
        """
        every = min(self.validate_every, self.max_steps)
        keeper = Checkpoints(out, self.checkpoint_every, every)
        callbacks: list[Callback] = [keeper]
        if self.patience:
            callbacks.append(EarlyStopping(MONITORED, patience=self.patience))
        if self.progress:
            callbacks.append(RichProgressBar(leave=True))
        last = out / CHECKPOINTS / LAST
        goes_on = resume and last.exists()
        taken = int(torch.load(last, weights_only=True, mmap=True)["global_step"]) if goes_on else 0
        loggers: list[Logger] = [MetricsCsv(out, taken)]
        if self.wandb:
            loggers.append(wandb_logger(self.wandb, out))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_HARMLESS)
            trainer = self._trainer(every, callbacks, loggers)
            # FSDP2 takes a model apart; what the caller holds stays whole.
            trained = copy.deepcopy(module) if self.strategy == "fsdp" else module
            try:
                if not goes_on:  # step 0 is a candidate for the best weights: there may be nothing to learn
                    trainer.loggers = []  # metrics.csv has the steps that were taken
                    trainer.validate(trained, data, verbose=False)
                    trainer.loggers = loggers
                trainer.fit(trained, data, ckpt_path=str(last) if goes_on else None, weights_only=True)
            finally:
                finish(loggers)
        best = torch.load(out / CHECKPOINTS / BEST, map_location="cpu", weights_only=True)
        module.load_state_dict(best["state_dict"])
        module.cpu()
        return {
            "steps": trainer.global_step,
            "best_step": keeper.best_step,
            "validation_nll": keeper.best,
            "parameters": sum(p.numel() for p in module.parameters()),
        }

    def _trainer(self, every: int, callbacks: list[Callback], loggers: list[Logger]) -> L.Trainer:
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        return L.Trainer(
            **self.hardware,
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
        devices = str(self.hardware["devices"])
        each = max(torch.cuda.device_count(), 1) if devices in ("auto", "-1") else int(devices)
        return each * int(self.hardware["num_nodes"])
