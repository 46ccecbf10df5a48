"""`fsa fit` and training at the size of a product: 180,000 choices, and a million."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from eval.bench.figures import Figure
from eval.bench.process import ran
from eval.crowd import write_choices
from fsa.runs.folder import META, read_json

_TEXTS = 400  # one prompt; the same at both sizes


def fit_cost(
    fold: Sequence[int] = (3000, 60),
    large: Sequence[int] = (100_000, 10),
    max_steps: int = 1500,
    validation_episodes: int = 300,
) -> list[Figure]:
    """Seconds of one fold of `fsa fit` after features, and seconds and memory of training on more people.

    Args:
        fold: People and mean choices of each, of the file that is fitted.
        large: The same of the file that is trained on.
        max_steps: Steps of each stage, at most.
        validation_episodes: Of each validation.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as name:
        folder = Path(name)
        few, many = (folder / f"{people}.jsonl" for people in (fold[0], large[0]))
        num_few, num_many = (
            write_choices(file, people, each, _TEXTS, seed=0)
            for file, (people, each) in ((few, fold), (many, large))
        )
        given = [f"--loop.max_steps={max_steps}", f"--episodes.validation_episodes={validation_episodes}"]
        given.append("--loop.progress=false")
        settings = [f"--settings={one}" for one in given]
        fitted = ran(
            "-m", "fsa.cli.main", "fit", str(few), "--folds", "1", "--out", str(folder / "fit"), *settings
        )
        parts = [read_json(folder / "fit" / run / META)["seconds"] for run in ("folds/0/personal", ".")]
        trained = ran(
            *("-m", "train.reward", "--config", "configs/reward/choices.yaml", *given),
            *(f"--source.path={many}", f"--out={folder / 'large'}"),
        )
    of_few = f"{num_few:,} choices of {fold[0]:,} people"
    of_many = f"{num_many:,} choices of {large[0]:,} people"
    features = sum(part["prepare"] for part in parts)
    return [
        Figure(
            "fit_fold_seconds", f"fit, {of_few}: training of one fold, s", [parts[0]["train"]], at_most=120
        ),
        Figure(
            "fit_seconds", f"fit, {of_few}: the whole command less features, s", [fitted.seconds - features]
        ),
        Figure("fit_large_seconds", f"training, {of_many}: the whole command, s", [trained.seconds]),
        Figure("fit_large_mb", f"training, {of_many}: peak memory, MB", [trained.peak], at_most=2000),
    ]
