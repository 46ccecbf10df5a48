"""`MetricsCsv`: what was measured in training, one line a step, in a file that a resumed run goes on with."""

from __future__ import annotations

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from fsa.files import replacing

METRICS = "metrics.csv"
_STEP = "step"


class MetricsCsv(Logger):
    """Writes `metrics.csv`: the number of steps taken, then every metric by name.

    Every line is on the disk as soon as it is known. Nothing is cleared on opening but what a resumed run is
    about to measure again: the lines after the checkpoint that it goes on from.

    Args:
        folder: Run folder.
        steps: Steps that the run has taken already; later lines go.
    """

    def __init__(self, folder: Path, steps: int = 0) -> None:
        super().__init__()
        self.path = folder / METRICS
        self.rows: list[dict[str, str]] = []
        self.columns: list[str] = [_STEP]
        self._open(steps)

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: config.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add to the line of a step, which Lightning counts from 0, or begin it."""
        taken = str((step or 0) + 1)
        values = {name: f"{float(value):.7g}" for name, value in metrics.items() if name != "epoch"}
        missing = [name for name in sorted(values) if name not in self.columns]
        self.columns += missing
        if self.rows and self.rows[-1][_STEP] == taken:
            self.rows[-1] |= values
            self._rewrite()
        elif missing or not self.rows:
            self.rows.append({_STEP: taken, **values})
            self._rewrite()
        else:
            self.rows.append({_STEP: taken, **values})
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self.columns, lineterminator="\n").writerow(self.rows[-1])

    @rank_zero_only
    def _open(self, steps: int) -> None:
        if steps and self.path.is_file():
            with self.path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            # Only the last line can have been cut short by a kill, and it is after the checkpoint. Its number
            # may be cut too, so a line counts only if it goes on from the one before.
            before = 0
            for row in rows:
                if row[_STEP].isdigit() and before < int(row[_STEP]) <= steps:
                    before = int(row[_STEP])
                    self.rows.append({name: value for name, value in row.items() if value})
            self.columns = list(rows[0]) if rows else self.columns
            self._rewrite()

    def _rewrite(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as unfinished, unfinished.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
