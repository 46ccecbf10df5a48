"""A suite's folder with made-up predictions, written as the suite itself writes it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval.suite.cells import PLACES, Cell, SavedPredictions, write_cell, write_suite
from fsa.recipes.measuring.predictions import Predictions

SIZES = [0, 3, 10]
SOURCE = {"class_path": "fsa.choices.sandbox.Sandbox", "init_args": {"flip_noise": 0.0, "seed": 0}}


def noisy(share: float) -> dict:
    return {**SOURCE, "init_args": {**SOURCE["init_args"], "flip_noise": share}}


def asked(
    accuracy: Mapping[int, tuple[float, float]], people: int = 20, targets: int = 10
) -> SavedPredictions:
    """People of two groups, in turn; of each one's targets the first are right, as many as the accuracy says.

    Args:
        accuracy: Of both groups, by choices seen.
        people: An even number.
        targets: Of each person; prompts are the same for all.
    """
    user, prompt = np.divmod(np.arange(people * targets), targets)
    group = user % 2
    parts, sizes, places = [], [], []
    for place in (0, 1):  # new people on known prompts: the same again
        for size, levels in accuracy.items():
            right = (prompt < np.round(targets * np.array(levels)[group])).astype(float)
            some = Predictions(
                row=np.arange(len(user)),
                user=user,
                prompt=prompt,
                group=group,
                correct=right,
                nll=1 - right,
                confidence=np.full(len(user), 0.9),
                flip_correct=1 - right,
                bayes_correct=np.ones(len(user)),
            )
            parts.append(some)
            sizes.append(np.full(len(user), size))
            places.append(np.full(len(user), place))
    return SavedPredictions(
        Predictions.concatenate(parts), {"size": np.concatenate(sizes), "where": np.concatenate(places)}
    )


def conflicts() -> SavedPredictions:
    """Right for a half where no choice of four conflicts, for all where all do."""
    parts = [asked({4: (level, level)}) for level in (0.5, 1.0)]
    rows = [part.predictions.where(part.labels["where"] == 0) for part in parts]
    share = np.repeat([0.0, 1.0], [len(one.row) for one in rows])
    return SavedPredictions(Predictions.concatenate(rows), {"size": np.full(len(share), 4), "share": share})


Levels = Mapping[str, Mapping[int, tuple[float, float]]]


def write(
    out: Path,
    datasets: Mapping[str, Levels],
    seeds: int = 2,
    sources: Mapping[str, dict] = {},
    conflicting: tuple[str, ...] = (),
) -> None:
    """All cells of a suite, every seed alike; one more cell is planned.

    Args:
        out: Folder.
        datasets: By data set and method, accuracy of both groups by choices seen.
        seeds: How many.
        sources: Of data sets that are not `SOURCE`.
        conflicting: Data sets that also have `conflicts`.
    """
    methods = list(dict.fromkeys(method for levels in datasets.values() for method in levels))
    cells = []
    for name, levels in datasets.items():
        for method, accuracy in levels.items():
            for seed in range(seeds):
                cell = Cell(name, method, seed, "k3y", (), {}, method == "dedicated")
                cells.append(cell)
                folder = cell.folder(out)
                folder.mkdir(parents=True)
                source = sources.get(name, SOURCE | {"name": name})
                write_cell(
                    folder,
                    about(cell, source, list(accuracy)),
                    asked(accuracy),
                    conflicts() if name in conflicting else None,
                )
    planned = Cell(next(iter(datasets)), "later", 0, "k3y", (), {})
    config = {"datasets": {name: {} for name in datasets}, "methods": {name: {} for name in methods}}
    said = {
        "config": config,
        "reference": "NP-BTL",
        "processes": 2,
        "command": "python -m eval.suite --config x",
    }
    write_suite(out, said, [*cells, planned], {cell.name: "done" for cell in cells})


def about(cell: Cell, source: dict, sizes: list[int]) -> dict:
    return {
        **{name: getattr(cell, name) for name in ("dataset", "method", "seed", "key", "dedicated")},
        "split": "test",
        "groups": ["odd", "even"],
        "context_sizes": sizes,
        "fixed_users": False,
        "one_prompt": False,
        "where": list(PLACES[:2]),
        "claim": PLACES[0],
        "users": {PLACES[0]: 20},
        "parameters": 1000,
        "seconds": {"features": 0.0, "prepare": 1.0, "train": 30.0, "measure": 1.0},
        "processes": 2,
        "timing": {"adapt_ms": 1.5, "n": 200},
        "config": {"source": source, "splits": {"class_path": "fsa.choices.splits.HashSplitter"}},
        "command": "python -m train.reward",
        "date": "2026-01-02T03:04:05+00:00",
        "commit": "0123456789abcdef",
        "versions": {"fsa": "0.1.0"},
    }
