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
from torch import Tensor

from fsa.cli.recipes import run_recipe
from fsa.recipes.population import POPULATION
from fsa.recipes.reward import train_reward
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
    "--episodes.num_workers 2 --episodes.users_per_step 32 --episodes.validation_episodes 100"
).split()


_CHILD = "from eval.resume_check import train_and_die; train_and_die()"
_DIES = "FSA_RESUME_CHECK_DIES_BEFORE"  # of a process that trains: the step; steps count over all stages


def train_and_die() -> None:
    """Train as the command line says, in a process that kills itself (signal 9) right before a step."""
    build, taken = AdamW.build, [0]

    def dying(self: AdamW, *given: Any) -> Any:
        optimizer, schedule = build(self, *given)

        def die(*_: Any) -> None:
            if taken[0] == int(os.environ.get(_DIES, -1)):
                os.kill(os.getpid(), signal.SIGKILL)
            taken[0] += 1

        optimizer.register_step_pre_hook(die)
        return optimizer, schedule

    AdamW.build = dying  # type: ignore[assignment]
    run_recipe(train_reward)


def resume_check(kills: int = 5, out: str | None = None, seed: int | None = None) -> None:
    """Train once undisturbed; then train, kill mid-epoch at a random step, resume, and compare bit for bit.

    The default is trained: first the population's stage, then the personal one, as many steps each; steps are
    counted over both. Compared are the model, every tensor of the last checkpoint (weights, their running
    mean and optimiser), and the metrics of both stages. Ends with status 1 if anything differs.

    Args:
        kills: How many trainings are killed.
        out: Folder of the runs; a temporary one if not given.
        seed: Of the steps they are killed at; random if not given.
    """
    folder = Path(out or tempfile.mkdtemp(prefix="resume-check-"))
    steps = np.random.default_rng(seed).choice(np.arange(1, 2 * _STEPS), kills, replace=False)
    whole = folder / "whole"
    _run([*_TRAIN, "--overwrite", "true", "--out", str(whole)])
    table = Table("killed before step", "went on from step", "largest difference of a tensor", "metrics.csv")
    is_same = True
    for step in sorted(int(step) for step in steps):
        killed = folder / f"killed-{step}"
        _run([*_TRAIN, "--overwrite", "true", "--out", str(killed)], dies_before=step)
        saved = sum(_steps_of(part / CHECKPOINTS / LAST) for part in (killed / POPULATION, killed))
        _run(["--resume", str(killed)])
        difference = largest_difference(whole, killed)
        same_metrics = all(
            (whole / part).read_bytes() == (killed / part).read_bytes()
            for part in (METRICS, POPULATION / METRICS)
        )
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
    for part in ("state_dict", "current_model_state"):
        found |= {f"{part}.{name}": tensor for name, tensor in checkpoint[part].items()}
    for number, state in checkpoint["optimizer_states"][0]["state"].items():
        found |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
    return found


def _steps_of(checkpoint: Path) -> int:
    return int(torch.load(checkpoint, weights_only=True)["global_step"]) if checkpoint.exists() else 0


def _run(arguments: Sequence[str], dies_before: int = -1) -> None:
    done = subprocess.run(  # noqa: S603 # nosec B603 # our own recipe, no shell
        [sys.executable, "-c", _CHILD, *arguments],
        env={**os.environ, _DIES: str(dies_before)},
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = 0 if dies_before < 0 else -signal.SIGKILL
    if done.returncode != wanted:
        sys.exit(f"ended with {done.returncode} instead of {wanted}:\n{done.stderr}")


if __name__ == "__main__":
    run_recipe(resume_check)
