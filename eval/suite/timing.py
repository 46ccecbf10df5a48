"""Timings of finished cells, one process and one thread, nothing else running: `--timing true`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from eval.suite.cells import RUN, Cell, add_timing
from eval.suite.plan import Plan
from eval.suite.work import train
from fsa.outputs.reward_model import RewardModel
from fsa.runs.folder import META, WEIGHTS, read_json
from fsa.types import ChoiceBatch

CHOICES, OPTIONS = 10, 20
"""Read of a new person, and scored for them."""


def timing_pass(
    plan: Plan, out: Path, cells: list[Cell], alone: str, console: Console, repetitions: int = 200
) -> None:
    """Add `timing` to every finished cell: `adapt_ms`, and for one data set's first seed `train_alone` in s.

    Args:
        plan: The suite.
        out: Its folder.
        cells: All cells; those that are not done are left out.
        alone: Data set on which one seed of each method is trained again, with nothing beside it.
        console: For the progress bar.
        repetitions: Of which the median counts.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        done = [cell for cell in cells if cell.is_done(out)]
        for cell in track(done, "timing", console=console, disable=not console.is_terminal):
            model = RewardModel.from_pretrained(_run(cell, out), trust_remote_code=True)
            seconds = adaptation_seconds(model, repetitions)
            timing = {"adapt_ms": 1000 * float(np.median(seconds)), "n": repetitions, "threads": 1}
            if cell.dataset == alone and cell.seed == plan.seeds[0]:
                timing["train_alone"] = _train_alone(cell, out)
            add_timing(cell.folder(out), timing)
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
def adaptation_seconds(model: RewardModel, repetitions: int, warm_up: int = 10) -> list[float]:
    """Seconds from a new person's choices to rewards of options, features given, once for each repetition."""
    generator = torch.Generator().manual_seed(0)
    width = model.config["d_feature"]
    seconds = []
    for _ in range(warm_up + repetitions):
        context = _pairs(torch.randn(1, CHOICES, 2, width, generator=generator, dtype=torch.float64))
        target = ChoiceBatch(
            torch.randn(1, 1, OPTIONS, width, generator=generator, dtype=torch.float64),
            torch.zeros(1, 1, OPTIONS, dtype=torch.long),
            torch.zeros(1, 1, dtype=torch.long),
        )
        started = time.perf_counter()
        belief = model.encoder(context)
        model.predictive(target, belief)
        seconds.append(time.perf_counter() - started)
    return seconds[warm_up:]


def _pairs(features: torch.Tensor) -> ChoiceBatch:
    places = torch.tensor([0, 1]).expand(features.shape[:3])
    return ChoiceBatch(features, places, torch.zeros(features.shape[:2], dtype=torch.long))


def _train_alone(cell: Cell, out: Path) -> float:
    """Seconds of training, validations included; of a dedicated method those of all its groups."""
    folder = out / "timing"
    groups = [run.name for run in _runs(cell, out)] if cell.dedicated else [""]
    total = 0.0
    for group in groups:
        train(cell, folder, group)
        total += read_json(folder / META)["seconds"]["train"]
        shutil.rmtree(folder)
    return round(total, 1)


def _run(cell: Cell, out: Path) -> Path:
    """The cell's run, or that of one of its groups, which are all alike."""
    return _runs(cell, out)[0]


def _runs(cell: Cell, out: Path) -> list[Path]:
    return sorted(path.parent for path in (cell.folder(out) / RUN).rglob(WEIGHTS))
