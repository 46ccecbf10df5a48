"""`Measures`: all predictions on one data set, summed so that methods can be compared choice by choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from eval.suite.cells import CONFLICTS, PREDICTIONS, SavedPredictions
from eval.suite.results import FinishedCell, Suite
from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.reports.bootstrap import Cells, Interval, Resamples
from fsa.reports.intervals import ece_interval, mean_interval

BAYES = "Bayes limit"
"""The best possible prediction from the same choices, as a column beside the methods."""
METRICS = {"accuracy": "correct", "nll": "nll", "flip_accuracy": "flip_correct"}
"""Metrics that are means over choices, and the field of `Predictions` that each is the mean of."""
Column = tuple[str, int]
"""A method and how many choices it had seen."""

_RESAMPLES_OF_ECE = 200  # each is as dear as a thousand of the others, and there is one a method and size


@dataclass(frozen=True)
class Measures:
    """One data set.

    Attributes:
        name: Of the data set.
        methods: Those measured, in order.
        sizes: Choices seen, ascending.
        groups: Number of each group's part, by name; where the split's own claim is measured.
        places: Parts of other claims (new people on known prompts, ...), by name.
        by_metric: Resampled sums, by metric; columns are (method, size), and (`BAYES`, size) for accuracy.
        ece: Calibration error over all users, by (method, size).
    """

    name: str
    methods: list[str]
    sizes: list[int]
    groups: Mapping[str, int]
    places: Mapping[str, tuple[int, ...]]
    by_metric: Mapping[str, Resamples]
    ece: Mapping[Column, Interval]

    @property
    def all_users(self) -> tuple[int, ...]:
        """Parts of all groups."""
        return tuple(self.groups.values())

    @property
    def each_group(self) -> list[tuple[int, ...]]:
        """Parts of each group."""
        return [(part,) for part in self.groups.values()]

    @classmethod
    def of(
        cls,
        suite: Suite,
        name: str,
        *,
        num_resamples: int = 1000,
        random_seed: int = 0,
    ) -> Measures:
        """From the cells of a data set.

        Raises:
            ConfigError: Two cells were not asked the same.
        """
        cells = suite.of(name)
        sums = _Sums(cells)
        made = {
            metric: Resamples(sums.cells, columns, num_resamples=num_resamples, random_seed=random_seed)
            for metric, columns in sums.columns.items()
        }
        methods = list(dict.fromkeys(cell.method for cell in cells))
        return cls(name, methods, sums.sizes, sums.groups, sums.places, made, sums.ece)


class _Sums:
    """Sums over the choices of one user on one prompt, of all cells of a data set."""

    def __init__(self, cells: list[FinishedCell]) -> None:
        self.first, self.about = cells[0].asked(PREDICTIONS), cells[0].about
        self.names = list(self.about["groups"]) or [""]
        self.sizes = sorted(np.unique(self.first.labels["size"]).tolist())
        self.seeds = sorted({cell.seed for cell in cells})
        self._where_rows_go()
        columns: dict[str, dict[Column, np.ndarray]] = {metric: {} for metric in METRICS}
        self.ece: dict[Column, Interval] = {}
        for method in dict.fromkeys(cell.method for cell in cells):
            mine = {cell.seed: cell.asked(PREDICTIONS) for cell in cells if cell.method == method}
            for cell in (cell for cell in cells if cell.method == method):
                _check_same(self.first, mine[cell.seed], cell)
            for size in self.sizes:
                for metric, name in METRICS.items():
                    columns[metric][method, size] = self._sum(mine, name, size)
                # The Bayes limit is the same for all methods; the one with most seeds says it.
                found, known = self._sum(mine, "bayes_correct", size), columns["accuracy"].get((BAYES, size))
                if (~np.isnan(found)).sum() > (0 if known is None else (~np.isnan(known)).sum()):
                    columns["accuracy"][BAYES, size] = found
                self.ece[method, size] = self._ece(mine, size)
        self.columns = columns

    def _where_rows_go(self) -> None:
        """Numbers the cells, and finds that of each row."""
        said, labels = self.first.predictions, self.first.labels
        place = labels["where"].astype(np.int64)
        part = place * len(self.names) + said.group
        users, prompts = int(said.user.max()) + 1, int(said.prompt.max()) + 1
        key = (part * prompts + said.prompt) * users + said.user
        keys, self.cell_of_row = np.unique(key, return_inverse=True)
        counts = [
            np.bincount(self.cell_of_row[labels["size"] == size], minlength=len(keys)) for size in self.sizes
        ]
        assert all((one == counts[0]).all() for one in counts), "every size predicts the same"
        count = counts[0].astype(np.float64)
        rest, user = np.divmod(keys, users)
        part, prompt = np.divmod(rest, prompts)
        # Places number their people and prompts apart; each is resampled by itself.
        place = part // len(self.names)
        axes = resampled_axes(self.about, place * users + user, place * prompts + prompt)
        repeated = [np.tile(axis, len(self.seeds)) for axis in axes]
        seed = np.repeat(np.arange(len(self.seeds)), len(keys))
        tiled = np.tile(part, len(self.seeds)), np.tile(count, len(self.seeds))
        self.cells = Cells(seed, tiled[0], tuple(repeated), tiled[1])
        names, here = self.about["where"], np.unique(part).tolist()
        self.groups = {self.names[one]: one for one in here if one < len(self.names)}
        self.places = {
            name: tuple(one for one in here if one // len(self.names) == number)
            for number, name in enumerate(names)
            if number and any(one // len(self.names) == number for one in here)
        }

    def _sum(self, mine: Mapping[int, SavedPredictions], name: str, size: int) -> Float[np.ndarray, " c"]:
        """Sums of a field in each cell of each seed; NaN for seeds that are missing."""
        num_cells = len(self.cells.count) // len(self.seeds)
        here = self.first.labels["size"] == size
        sums = np.full((len(self.seeds), num_cells), np.nan)
        for seed, asked in mine.items():
            values = getattr(asked.predictions, name)[here].astype(np.float64)
            found = np.bincount(self.cell_of_row[here], values, num_cells)
            sums[self.seeds.index(seed)] = np.where(self.cells.count[:num_cells] > 0, found, np.nan)
        return sums.ravel()

    def _ece(self, mine: Mapping[int, SavedPredictions], size: int) -> Interval:
        here = (self.first.labels["size"] == size) & (self.first.labels["where"] == 0)
        parts = [asked.predictions.where(here) for asked in mine.values()]
        joined = Predictions.concatenate(parts)
        seeds = np.repeat(list(mine), [len(part.user) for part in parts])
        by = resampled_axes(self.about, joined.user, joined.prompt)
        values = joined.confidence.astype(np.float64), joined.correct.astype(np.float64)
        return ece_interval(*values, by, seeds=seeds, num_resamples=_RESAMPLES_OF_ECE)


def resampled_axes(
    about: Mapping[str, Any], user: Int[np.ndarray, " n"], prompt: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], ...]:
    """What is a sample of something, numbered from 0: not people who are named, and not the only prompt.

    Args:
        about: What `cell.json` says.
        user: Label of each row or cell.
        prompt: The same.
    """
    axes = (prompt,) if about["fixed_users"] else (user, prompt)
    axes = (user,) if about["one_prompt"] else axes
    return tuple(np.unique(axis, return_inverse=True)[1] for axis in axes)


def _check_same(first: SavedPredictions, other: SavedPredictions, cell: FinishedCell) -> None:
    """Differences are paired, so the rows of two cells have to be about the same."""
    for mine, theirs in (
        *zip(first.labels.values(), other.labels.values(), strict=False),
        (first.predictions.row, other.predictions.row),
        (first.predictions.user, other.predictions.user),
    ):
        if not np.array_equal(mine, theirs):
            raise ConfigError(f"{cell.folder}: was not asked the same as the other cells of its data set")


def shares(suite: Suite, name: str) -> Iterator[tuple[str, int, float, Interval]]:
    """Method, choices seen, share of conflicting ones among them, and accuracy, where that was measured."""
    for method in dict.fromkeys(cell.method for cell in suite.of(name)):
        cells = [cell for cell in suite.of(name, method) if (cell.folder / CONFLICTS).is_file()]
        if not cells:
            continue
        parts = [cell.asked(CONFLICTS) for cell in cells]
        said = Predictions.concatenate([part.predictions for part in parts])
        size, share = (np.concatenate([part.labels[key] for part in parts]) for key in ("size", "share"))
        seeds = np.repeat([cell.seed for cell in cells], [len(part.predictions.row) for part in parts])
        axes = resampled_axes(cells[0].about, said.user, said.prompt)
        for key in sorted(set(zip(size.tolist(), share.tolist(), strict=True))):
            here = (size == key[0]) & (share == key[1])
            values = said.correct[here].astype(np.float64)
            found = mean_interval(values, [axis[here] for axis in axes], seeds=seeds[here])
            yield method, key[0], round(key[1], 4), found
