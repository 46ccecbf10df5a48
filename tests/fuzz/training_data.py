"""A run of a few steps on numbers, for attacks that need one."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from tests.faults.commands import lines, train
from tests.fuzz.made_choices import number_record

_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # until the process ends


def train_small(folder: Path) -> Path:
    """A finished run of the default kind, of two steps; `choices.jsonl` lies beside it."""
    shutil.copytree(_trained(), folder.parent, dirs_exist_ok=True, ignore=shutil.ignore_patterns("cache"))
    return (folder.parent / "run").rename(folder)


@cache
def _trained() -> Path:
    """Trained once a process."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="fsa-fuzz-"))
    folder, draw = Path(_KEPT[-1].name), Random(0)
    os.environ.setdefault("FSA_CACHE", str(folder / "cache"))
    rows = [{**number_record(draw, f"u{user}"), "prompt": f"p{i}"} for user in range(60) for i in range(3)]
    choices = lines(folder / "choices.jsonl", rows)
    train(folder / "run", choices, "--loop.max_steps", "2", "--loop.validate_every", "2").went_well()
    return folder
