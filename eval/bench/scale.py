"""What more people cost: `python -m eval.bench.scale --num-people 10000,100000,1000000`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from eval.bench.process import ran
from eval.bench.table import CHOICES_PER_USER, made
from fsa.cli.recipes import run_recipe
from fsa.reports.report import Report, Row
from fsa.runs.folder import META, about_this_run, read_json

_FIGURES = {
    "table_mb": "table on disk, MB",
    "open_seconds": "open to first batch, s",
    "episodes_per_second": "episodes drawn a second",
    "open_mb": "memory grown by opening and drawing, MB",
    "prepare_seconds": "read, split, project, s",
    "train_seconds": "training, s",
    "train_mb": "peak memory of the training, MB",
}


def scale(
    num_people: list[int] = [10_000, 100_000, 1_000_000],  # noqa: B006 (never changed; jsonargparse shows it)
    out: str = "runs/scale",
    max_steps: int = 1500,
    draws: int = 300,
    num_prompts: int = 1000,
) -> Report:
    """Open, draw from and train the default on the sandbox's choices, ten a person, a process each.

    Memory is in MB of 10^6 bytes. The texts that people are trained on are the same at every size, and their
    features are kept from the first training on.

    Args:
        num_people: Sizes, each a number of people.
        out: Folder of tables, runs and report.json.
        max_steps: Training steps of each stage, at most.
        draws: Batches of 64 episodes drawn after opening.
        num_prompts: Prompts of the training, four texts each.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    found = {f"{people:,}": _measured(folder, people, max_steps, draws, num_prompts) for people in num_people}
    table = Table("people", *found)
    for name, words in _FIGURES.items():
        table.add_row(words, *(f"{each[name]:,.4g}" for each in found.values()))
    rows = [
        Row("scale", "fsa", "all", {"people": people}, 0, name, value, None, None, 1, 1)
        for people, each in found.items()
        for name, value in each.items()
    ]
    Console().print(table)
    report = Report(rows, about_this_run("eval.bench.scale", cores=os.cpu_count()))
    report.save(folder)
    return report


def _measured(folder: Path, people: int, max_steps: int, draws: int, num_prompts: int) -> dict[str, float]:
    file = made(folder / f"{people}.arrow", people * CHOICES_PER_USER)
    of_table = json.loads(ran("-m", "eval.bench.table", str(file), str(draws)).printed)
    run = folder / str(people)
    source = [
        f"--source.num_users={people}",
        f"--source.choices_per_user={CHOICES_PER_USER}",
        f"--source.num_prompts={num_prompts}",
        "--splits.by=user",
    ]
    loop = [f"--loop.max_steps={max_steps}", "--loop.progress=false", "--overwrite=true", f"--out={run}"]
    trained = ran("-m", "train.reward", "--config", "configs/reward/sandbox.yaml", *source, *loop)
    seconds = read_json(run / META)["seconds"]
    return {
        "table_mb": file.stat().st_size / 1e6,
        "open_seconds": of_table["seconds"],
        "episodes_per_second": of_table["episodes"],
        "open_mb": of_table["megabytes"],
        "prepare_seconds": seconds["prepare"],
        "train_seconds": seconds["train"],
        "train_mb": trained.peak,
    }


if __name__ == "__main__":
    run_recipe(scale)
