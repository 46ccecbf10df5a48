"""A run of a few steps on numbers, for attacks that need one."""

import os
from pathlib import Path
from random import Random

from tests.faults.commands import lines, train
from tests.fuzz.made_choices import number_record


def train_small(folder: Path) -> Path:
    """A finished run of the default kind, of two steps; `choices.jsonl` lies beside it."""
    draw = Random(0)
    rows = [{**number_record(draw, f"u{user}"), "prompt": f"p{i}"} for user in range(60) for i in range(3)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("FSA_CACHE", str(folder.parent / "cache"))
    choices = lines(folder.parent / "choices.jsonl", rows)
    steps = ("--loop.max_steps", "2", "--loop.validate_every", "2")
    train(folder, choices, *steps, "--overwrite", "true").went_well()
    return folder
