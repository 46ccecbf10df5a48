"""Reports of committed predictions: `tests/data/golden` holds them, and what commit 1481ad7 made of them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from eval.suite.cells import Cell, SavedPredictions, write_cell, write_suite
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.rows import rows_of
from fsa.reports.report import Report
from tests.factories.finished_suite import about, conflicts, noisy

FOLDER = Path(__file__).parents[1] / "data" / "golden"
USERS, TARGETS, SIZES = 12, 4, [0, 3, 10]
NOISE = {"easy": 0.0, "easy, 20 % noise": 0.4}


def asked(values: np.ndarray) -> SavedPredictions:
    """Predictions of one cell: two places of three context sizes each."""
    blocks = values.shape[1] // (USERS * TARGETS)
    user, prompt = (np.tile(x, blocks) for x in np.divmod(np.arange(USERS * TARGETS), TARGETS))
    correct, nll, confidence, flipped, bayes = values.astype(np.float64)
    found = Predictions(
        np.arange(len(user)), user, prompt, user % 3, correct, nll, confidence, flipped, bayes
    )
    block = np.arange(blocks).repeat(USERS * TARGETS)
    return SavedPredictions(found, {"size": np.array(SIZES)[block % 3], "where": block // 3})


def cells() -> dict[tuple[str, str, int], SavedPredictions]:
    """By data set, method and seed."""
    with np.load(FOLDER / "predictions.npz") as stored:
        named = {name: asked(stored[name]) for name in stored.files}
    return {(*name.split("/")[:2], int(name[-1])): one for name, one in named.items()}


def write_golden_suite(out: Path) -> None:
    """The suite's folder, as the suite itself writes it."""
    made = []
    for (name, method, seed), predictions in cells().items():
        cell = Cell(name, method, seed, "k3y", (), {}, method == "dedicated")
        folder = cell.folder(out)
        folder.mkdir(parents=True)
        source = noisy(NOISE[name]) if name in NOISE else {"class_path": "fsa.choices.jsonl.Jsonl"}
        said = about(cell, source, SIZES) | {
            "groups": ["even", "odd", "other"],
            "parameters": 500 + len(method),
        }
        said["timing"] = {"adapt_ms": 1 + seed / 4, "n": 200} | (
            {"train_alone": 20.5} if name == "easy" else {}
        )
        write_cell(folder, said, predictions, conflicts() if name == "hard" else None)
        made.append(cell)
    names, methods = ({cell.__dict__[key]: {} for cell in made} for key in ("dataset", "method"))
    said = {"config": {"datasets": names, "methods": methods}, "reference": "NP-BTL", "name": "golden"}
    write_suite(
        out,
        said | {"command": "python -m eval.suite --config x"},
        made,
        dict.fromkeys((c.name for c in made), "done"),
    )


def context_curve() -> Report:
    """Rows of `eval.context_curve` for one method of two seeds."""
    found = [one for key, one in sorted(cells().items()) if key[:2] == ("easy", "NP-BTL")]
    table = SimpleNamespace(groups=pa.array(["even", "odd", "other"]), prompt=np.arange(TARGETS))
    at = SimpleNamespace(name="easy", table=table, groups=np.arange(3), fixed_users=False)
    rows = []
    for size in SIZES:
        parts = [
            one.predictions.where((one.labels["size"] == size) & (one.labels["where"] == 0)) for one in found
        ]
        seeds = np.repeat([0, 1], [len(part.row) for part in parts])
        rows += rows_of(Predictions.concatenate(parts), seeds, at, "NP-BTL", size)
    return Report(rows, {"command": "python -m eval.context_curve --run x"})
