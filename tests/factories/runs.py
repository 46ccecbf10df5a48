"""Runs of the training recipe that take a few seconds."""

import os
from pathlib import Path

from fsa.cli.recipes import run_recipe
from fsa.recipes.reward import train_reward
from fsa.reports.bootstrap import Interval
from fsa.reports.report import Row

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "reward" / "synthetic.yaml"
OVERLAYS = ROOT / "configs" / "baseline"
SMALL = {
    "source.num_users": 300,
    "source.choices_per_user": 30,
    "episodes.users_per_step": 48,
    "episodes.validation_episodes": 60,
    "loop.max_steps": 150,
    "loop.validate_every": 75,
    "loop.accelerator": "cpu",
    "loop.progress": False,
    "optimizer.lr": 0.01,
}


def train_small(out: Path, *overlays: str, config: Path = CONFIG, **settings: object) -> Path:
    """Train with the recipe's own command line; `a__b=c` is `--a.b c`, overlays are names of baselines."""
    os.environ.setdefault("FSA_CACHE", str(out.parent / "cache"))
    given = {name.replace("__", "."): value for name, value in settings.items()}
    known = SMALL if config == CONFIG else {}
    options = [f"--{name}={value}" for name, value in (known | given | {"out": out}).items()]
    configs = [f"--config={path}" for path in (config, *(OVERLAYS / f"{name}.yaml" for name in overlays))]
    run_recipe(train_reward, [*configs, *options, "--trust_remote_code=true"])  # some parts are tests' own
    return out


def errors_from_chance(told: Interval | Row) -> float:
    """Standard errors from an accuracy, a fraction with its 95 % interval, to one half.

    Those of n guesses where the interval has no width, since all are right or all called even.
    """
    return (told.value - 0.5) / ((told.high - told.low) / (2 * 1.96) or 0.5 / told.n**0.5)
