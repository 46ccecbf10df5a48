"""Kill trainings and resume them: `python -m eval.resume_check`. Nothing may be different in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from fsa.cli.recipes import run_recipe
from fsa.runs.folder import WEIGHTS
from fsa.training.checkpoints import CHECKPOINTS, LAST
from fsa.training.metrics_csv import METRICS
from fsa.training.optimizers import AdamW

_STEPS = 60
# Two workers, dropout 0.2, accumulation 2; checkpoints fall on steps with and without a validation.
_TRAIN = (
    "--config configs/reward/synthetic.yaml --source.num_users 400 --encoder.dropout 0.2 "
    f"--scorer.dropout 0.2 --loop.max_steps {_STEPS} --loop.validate_every 20 --loop.checkpoint_every 3 "
    "--loop.accumulate 2 --loop.accelerator cpu --loop.devices 1 --loop.progress false "
    "--episodes.num_workers 2 --episodes.users_per_step 32 --episodes.validation_episodes 100 "
    "--optimizer.class_path eval.resume_check.DyingAdamW"
).split()


class DyingAdamW(AdamW):
    """`AdamW` whose process is killed (signal 9) right before a step.

    Args:
        dies_before: Steps it takes before that; -1 lets it live.
        more: Arguments of `AdamW`.
    """

    def __init__(self, dies_before: int = -1, **more: Any) -> None:
        super().__init__(**more)
        self.dies_before = dies_before

    def build(self, model: nn.Module, num_steps: int) -> tuple[torch.optim.Optimizer, LambdaLR]:
        optimizer, schedule = super().build(model, num_steps)

        def die(*_: Any) -> None:
            if schedule.last_epoch == self.dies_before:
                os.kill(os.getpid(), signal.SIGKILL)

        optimizer.register_step_pre_hook(die)
        return optimizer, schedule


def resume_check(kills: int = 5, out: str | None = None, seed: int | None = None) -> None:
    """Train once undisturbed; then train, kill mid-epoch at a random step, resume, and compare bit for bit.

    Compared are the model, every tensor of the last checkpoint (weights and optimiser), and metrics.csv. Ends
    with status 1 if anything differs.

    Args:
        kills: How many trainings are killed.
        out: Folder of the runs; a temporary one if not given.
        seed: Of the steps they are killed at; random if not given.
    """
    folder = Path(out or tempfile.mkdtemp(prefix="resume-check-"))
    steps = np.random.default_rng(seed).choice(np.arange(1, _STEPS), kills, replace=False)
    whole = folder / "whole"
    _run([*_TRAIN, "--overwrite", "true", "--out", str(whole)])
    table = Table("killed before step", "went on from step", "largest difference of a tensor", "metrics.csv")
    is_same = True
    for step in sorted(int(step) for step in steps):
        killed = folder / f"killed-{step}"
        arguments = ["--overwrite", "true", "--out", str(killed), "--optimizer.dies_before", str(step)]
        _run([*_TRAIN, *arguments], status=-signal.SIGKILL)
        last = killed / CHECKPOINTS / LAST
        saved = torch.load(last, weights_only=True)["global_step"] if last.exists() else 0
        _run(["--resume", str(killed), "--optimizer.dies_before", "-1"])
        difference = largest_difference(whole, killed)
        same_metrics = (whole / METRICS).read_bytes() == (killed / METRICS).read_bytes()
        is_same &= difference == 0 and same_metrics
        table.add_row(str(step), str(saved), f"{difference:g}", "the same" if same_metrics else "DIFFERENT")
    Console().print(table)
    Console().print(f"{kills} of {kills} runs are the same, bit for bit" if is_same else "runs DIFFER")
    if not is_same:
        sys.exit(1)


def largest_difference(one: Path, other: Path) -> float:
    """Largest difference between two runs' tensors; infinite where they have other tensors."""
    ours, theirs = (_tensors(run) for run in (one, other))
    if ours.keys() != theirs.keys():
        return float("inf")
    # NaN equals nothing: it would count as a difference of NaN, which is not 0.
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in ours)


def _tensors(run: Path) -> dict[str, Tensor]:
    checkpoint = torch.load(run / CHECKPOINTS / LAST, weights_only=True)
    found = {f"model.{name}": tensor for name, tensor in load_file(run / WEIGHTS).items()}
    found |= {f"last.{name}": tensor for name, tensor in checkpoint["state_dict"].items()}
    for number, state in checkpoint["optimizer_states"][0]["state"].items():
        found |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
    return found


def _run(arguments: Sequence[str], status: int = 0) -> None:
    done = subprocess.run(  # noqa: S603 # nosec B603 # our own recipe, no shell
        [sys.executable, "-m", "train.reward", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != status:
        sys.exit(f"ended with {done.returncode} instead of {status}:\n{done.stderr}")


if __name__ == "__main__":
    run_recipe(resume_check)
