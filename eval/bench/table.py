"""Opening a large table: seconds, memory, episodes a second. `python -m eval.bench.table FILE` opens one."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eval.bench.figures import Figure
from eval.bench.process import ran, resident
from fsa.choices.sandbox import Sandbox
from fsa.choices.table import ChoiceTable
from fsa.episodes.sampler import EpisodeSampler

CHOICES_PER_USER = 10
_BATCH = 64  # episodes drawn at once


def large_table(
    num_choices: int = 1_000_000, repetitions: int = 5, draws: int = 300, ahead: int = 10
) -> list[Figure]:
    """Second open of a table of many users, in a process of its own each time; and what a larger one takes.

    Args:
        num_choices: Choices; a tenth as many users.
        repetitions: Times that each table is opened and judged, after a first one that is not.
        draws: Batches of 64 episodes drawn after each opening.
        ahead: How many times `num_choices` to extrapolate to, from this size, a half and a quarter of it.
    """
    sizes = [num_choices // 4, num_choices // 2, num_choices]
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as folder:
        files = [made(Path(folder) / f"{size}.arrow", size) for size in sizes]
        opened = [[_opened(file, draws) for _ in range(repetitions + 1)][1:] for file in files]
        megabytes = [file.stat().st_size / 1e6 for file in files]
    at = f"{num_choices:,} choices, {num_choices // CHOICES_PER_USER:,} users"
    of = {name: [each[name] for each in opened[-1]] for name in opened[-1][0]}
    figures = [
        Figure("table_open_seconds", f"{at}: second open to first batch, s", of["seconds"], at_most=2),
        Figure("table_resident_mb", f"{at}: growth of resident memory, MB", of["megabytes"], at_most=300),
        Figure("table_resident_peak_mb", f"{at}: the same at its peak, MB", of["peak"]),
        Figure("episodes_per_second", f"{at}: episodes a second", of["episodes"], at_least=20_000),
        Figure("table_file_mb", f"{at}: file, MB", megabytes[-1:]),
    ]
    for name, metric, words in (
        ("seconds", "table_open_seconds", "second open to first batch, s"),
        ("megabytes", "table_resident_mb", "growth of resident memory, MB"),
    ):
        measured = [float(np.median([each[name] for each in group])) for group in opened]
        figures.append(_extrapolated(metric, words, sizes, measured, ahead))
    return [*figures, _extrapolated("table_file_mb", "file, MB", sizes, megabytes, ahead)]


def open_and_draw(file: Path, draws: int) -> dict[str, float]:
    """Open a table and draw from it; only in a fresh process does memory say anything.

    Returns:
        `seconds` from opening to the first batch, `episodes` a second after that, `megabytes` that resident
        memory has grown by in the end, and by how much at its `peak`.
    """
    before, _ = resident()
    started = time.perf_counter()
    sampler = EpisodeSampler(ChoiceTable.open(file))
    sampler.draw(np.arange(_BATCH))
    first = time.perf_counter()
    for batch in range(1, draws + 1):
        sampler.draw(np.arange(batch * _BATCH, (batch + 1) * _BATCH))
    episodes = draws * _BATCH / (time.perf_counter() - first)
    after, peak = resident()
    return {
        "seconds": first - started,
        "episodes": episodes,
        "megabytes": after - before,
        "peak": peak - before,
    }


def made(file: Path, num_choices: int) -> Path:
    """A table of the sandbox's choices, written."""
    users = num_choices // CHOICES_PER_USER
    Sandbox(num_users=users, choices_per_user=CHOICES_PER_USER).load().save(file)
    return file


def _opened(file: Path, draws: int) -> dict[str, float]:
    found: dict[str, float] = json.loads(ran("-m", "eval.bench.table", str(file), str(draws)).printed)
    return found


def _extrapolated(
    metric: str, words: str, sizes: Sequence[int], measured: Sequence[float], ahead: int
) -> Figure:
    """A straight line through three sizes, read off where nothing was measured."""
    slope, start = np.polyfit(sizes, measured, 1)
    size = ahead * max(sizes)
    words = f"{size:,} choices, extrapolated: {words}"
    return Figure(f"{metric}_extrapolated", words, [float(start + slope * size)])


if __name__ == "__main__":
    print(json.dumps(open_and_draw(Path(sys.argv[1]), int(sys.argv[2]))))
