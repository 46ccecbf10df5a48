"""A run of a few steps on numbers, for attacks that need one."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from tests.faults.commands import lines, train
from tests.fuzz.made_choices import number_record


def train_small(folder: Path) -> Path:
    """A finished run of the default kind, of two steps; `choices.jsonl` lies beside it."""
    trained = Path(_trained().name)
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run, where `--out` names a folder
    shutil.copytree(trained / "run", folder)
    shutil.copy(trained / "choices.jsonl", folder.parent)
    return folder


@cache
def _trained() -> tempfile.TemporaryDirectory[str]:
    """Trained once a process, and there until it ends."""
    kept, draw = tempfile.TemporaryDirectory(prefix="fsa-fuzz-"), Random(0)
    folder = Path(kept.name)
    os.environ.setdefault("FSA_CACHE", str(folder / "cache"))
    rows = [{**number_record(draw, f"u{user}"), "prompt": f"p{i}"} for user in range(60) for i in range(3)]
    choices = lines(folder / "choices.jsonl", rows)
    train(folder / "run", choices, "--loop.max_steps", "2", "--loop.validate_every", "2").went_well()
    return kept
