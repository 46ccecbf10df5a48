"""Train a reward model: `python -m train.reward --config configs/reward/choices.yaml --source.path FILE`."""

from __future__ import annotations

from pathlib import Path

from fsa.cli.recipes import run_recipe
from fsa.recipes.reward import train_reward
from fsa.runs.folder import WEIGHTS


def train_run(run: Path, *options: str, seed: int = 0, reuse: bool = False) -> None:
    """Train a reward model without a progress bar, in place of a run that its folder holds.

    Args:
        run: Run folder.
        options: Of the command line, configuration files among them.
        seed: Of the training.
        reuse: Leave a run that has its weights as it is.
    """
    if not (reuse and (run / WEIGHTS).exists()):
        quiet = ("--loop.progress=false", "--overwrite=true", f"--seed={seed}", f"--out={run}")
        run_recipe(train_reward, [*options, *quiet])


if __name__ == "__main__":
    run_recipe(train_reward)
