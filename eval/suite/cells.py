"""A cell of the suite, one seed of one method on one data set: what it leaves on the disk.

```
OUT/suite.json                                   what was asked for, and what became of every cell
OUT/cells/DATASET/METHOD/SEED-KEY/cell.json      about the cell (names as given, spaces too)
                                  predictions.npz
                                  conflicts.npz  where the data set has `conflicts` alone
                                  people.npz     see `eval.suite.people`; not of a dedicated method
                                  run/           the run folder; of a dedicated method run/GROUP/, one each
```

`suite.json`: `name`, `config` (the recipe's arguments), `reference`, `processes`, `cells`: a list of
`dataset`, `method`, `seed`, `key`, `folder` (relative to OUT), `status` (planned, running, done, failed),
`error` (one line, or null).

`cell.json`: `dataset`, `method`, `seed`, `key`, `split`, `groups` (names by group number), `dedicated`,
`context_sizes`, `fixed_users`, `one_prompt`, `where` (names by number; number 0 is what the data set's split
claims, the table's main one), `claim` (that name), `users` and `shortened` (people, and episodes with fewer
choices than asked, by place), `accuracy` (there, after the most choices), `parameters` (of one model),
`seconds` {`features`, `prepare`, `train`, `measure`} (`train` with `processes` cells at a time), `processes`,
`timing` {`adapt_ms`, `n`, and for one data set `train_alone`} where there was a timing pass, `config` (the
training's, whole), `command`, and versions, commit, date.

`predictions.npz`: an array [rows] for each field of `Predictions` (fsa/recipes/measuring), `size` (choices
seen) and `where` (number). Rows of all sizes and places one after the other: where 0 by size, where 1 by
size, ... All methods and seeds of a data set are asked the same in the same order: row i of one is row i of
the other.

`conflicts.npz`: the same with `share`: of the choices seen, the fraction on which the kinds of people differ.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.files import put_in_place, whole_file
from fsa.recipes.measuring.predictions import Predictions
from fsa.runs.folder import read_json, write_json

SUITE, CELL, RUN = "suite.json", "cell.json", "run"
PREDICTIONS, CONFLICTS, PEOPLE = "predictions.npz", "conflicts.npz", "people.npz"
PLACES = ("new people, new prompts", "new people", "new prompts")
"""What may be new about those who are predicted and what they are asked."""

_TYPES: Mapping[str, type] = {"row": np.int32, "user": np.int32, "prompt": np.int32, "group": np.int16}


@dataclass(frozen=True)
class Cell:
    """One seed of one method on one data set.

    Attributes:
        key: Names everything that its numbers depend on.
        arguments: Of the training recipe, without seed and folder.
        config: What they come to, seed included.
        groups: Train one model for each of these; None trains one model for everybody.
    """

    dataset: str
    method: str
    seed: int
    key: str
    arguments: tuple[str, ...]
    config: Mapping[str, Any]
    dedicated: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.dataset}/{self.method}/{self.seed}"

    def folder(self, out: Path) -> Path:
        """Where it is once it is done."""
        return out / "cells" / self.dataset / self.method / f"{self.seed}-{self.key}"

    def is_done(self, out: Path) -> bool:
        """Whether it is there; a folder gets its name last of all."""
        return (self.folder(out) / CELL).is_file()

    def start(self, out: Path) -> Path:
        """An empty folder to work in, under another name until `finish`."""
        folder = self.folder(out)
        unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.unfinished")
        for left in folder.parent.glob(f".{folder.name}.*.unfinished"):
            shutil.rmtree(left)  # of a suite that was killed
        unfinished.mkdir(parents=True)
        return unfinished

    def finish(self, out: Path, unfinished: Path) -> None:
        """Give the folder its name."""
        shutil.rmtree(self.folder(out), ignore_errors=True)
        put_in_place(unfinished, self.folder(out))


@dataclass(frozen=True)
class SavedPredictions:
    """Predictions of several context sizes and places, or shares of conflicting choices.

    Attributes:
        predictions: All rows.
        labels: Arrays [n] that tell them apart: `size`, `where`, or `share`.
    """

    predictions: Predictions
    labels: Mapping[str, NDArray[Any]]

    @property
    def accuracy(self) -> float:
        """Credit at the most choices seen, where the data set's claim is tested."""
        size = self.labels["size"]
        return float(self.predictions.correct[(size == size.max()) & (self.labels["where"] == 0)].mean())

    def save(self, path: Path) -> None:
        """Write one compressed file of plain arrays."""
        columns = {f.name: getattr(self.predictions, f.name) for f in fields(Predictions)}
        arrays = {name: column.astype(_TYPES.get(name, np.float32)) for name, column in columns.items()}
        save_arrays(path, {**arrays, **self.labels})

    @classmethod
    def open(cls, path: Path) -> SavedPredictions:
        """Read what `save` wrote."""
        arrays = open_arrays(path)
        predictions = Predictions(**{f.name: arrays.pop(f.name) for f in fields(Predictions)})
        return cls(predictions, arrays)


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write one compressed file of plain arrays; a crash leaves no half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def open_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `save_arrays` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def asked(parts: list[tuple[Predictions, Mapping[str, float]]]) -> SavedPredictions:
    """Predictions one after the other, each with its labels."""
    sizes = [len(predictions.row) for predictions, _ in parts]
    labels = {
        name: np.repeat([labels[name] for _, labels in parts], sizes).astype(
            np.float32 if name == "share" else np.int16
        )
        for name in parts[0][1]
    }
    return SavedPredictions(Predictions.concatenate([predictions for predictions, _ in parts]), labels)


def write_cell(
    folder: Path,
    about: Mapping[str, Any],
    predictions: SavedPredictions,
    conflicts: SavedPredictions | None = None,
) -> None:
    """What a cell leaves beside its run."""
    predictions.save(folder / PREDICTIONS)
    if conflicts:
        conflicts.save(folder / CONFLICTS)
    write_json(folder / CELL, about)


def add_timing(folder: Path, timing: Mapping[str, Any]) -> None:
    """Add what a timing pass found to a finished cell."""
    about = read_json(folder / CELL)
    write_json(folder / CELL, {**about, "timing": {**(about.get("timing") or {}), **timing}})


def write_suite(out: Path, about: Mapping[str, Any], cells: list[Cell], status: Mapping[str, str]) -> None:
    """Say what was asked for and what became of it.

    Args:
        out: Folder of the suite.
        about: The recipe's arguments and more.
        cells: All of them.
        status: By a cell's name: done, running, or an error's first line; planned where there is none.
    """
    rows = []
    for cell in cells:
        said = status.get(cell.name, "planned")
        known = said in ("done", "running", "planned")
        rows.append(
            {
                **{name: getattr(cell, name) for name in ("dataset", "method", "seed", "key")},
                "folder": cell.folder(out).relative_to(out).as_posix(),
                "status": said if known else "failed",
                "error": None if known else said,
            }
        )
    write_json(out / SUITE, {**about, "cells": rows})
