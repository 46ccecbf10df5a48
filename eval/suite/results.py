"""`Suite`: the folder that a suite wrote (`eval.suite.cells` says what is in it), as its page reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.suite.cells import CELL, SUITE, Asked
from fsa.errors import ConfigError
from fsa.runs.folder import read_json

OURS = "NP-BTL"
"""Methods whose names start so are ours: the reference and its variants."""
POOLED = "pooled"
"""The method without choices: the lower end of what choices can give."""


@dataclass(frozen=True)
class Done:
    """A finished cell: one seed of one method on one data set.

    Attributes:
        folder: Where it lies.
        about: What `cell.json` says.
    """

    folder: Path
    about: Mapping[str, Any]

    @property
    def dataset(self) -> str:
        """Name of its data set."""
        return str(self.about["dataset"])

    @property
    def method(self) -> str:
        """Name of its method."""
        return str(self.about["method"])

    @property
    def seed(self) -> int:
        """Which training it is."""
        return int(self.about["seed"])

    def asked(self, name: str) -> Asked:
        """Predictions, of a file in its folder."""
        return Asked.open(self.folder / name)


@dataclass(frozen=True)
class Suite:
    """All finished cells of a suite.

    Attributes:
        folder: Of the suite.
        about: What `suite.json` says.
        cells: One for each data set, method and seed that is done.
    """

    folder: Path
    about: Mapping[str, Any]
    cells: Sequence[Done]

    @classmethod
    def read(cls, folder: Path) -> Suite:
        """Read a suite's folder; cells that are not done yet, or of a method as it once was, are left out.

        Raises:
            CheckpointError: A file is missing or no JSON.
            ConfigError: No cell is done.
        """
        about = read_json(folder / SUITE)
        folders = [folder / cell["folder"] for cell in about["cells"]]
        done = [Done(path, read_json(path / CELL)) for path in folders if (path / CELL).is_file()]
        if not done:
            raise ConfigError(
                f"{folder / SUITE}: none of its {len(folders)} cells is done; run the suite first"
            )
        return cls(folder, about, done)

    @property
    def config(self) -> Mapping[str, Any]:
        """The suite's configuration."""
        return dict(self.about.get("config") or {})

    @property
    def planned(self) -> int:
        """Cells asked for."""
        return len(self.about["cells"])

    @property
    def datasets(self) -> list[str]:
        """Data sets with a finished cell, in the order of the configuration."""
        return _in_order(self.config.get("datasets"), [cell.dataset for cell in self.cells])

    @property
    def methods(self) -> list[str]:
        """Methods with a finished cell, in the order of the configuration."""
        return _in_order(self.config.get("methods"), [cell.method for cell in self.cells])

    def of(self, dataset: str, method: str | None = None) -> list[Done]:
        """Cells of a data set, or of one method on it, by method and seed."""
        methods = self.methods if method is None else [method]
        found = [cell for cell in self.cells if cell.dataset == dataset and cell.method in methods]
        return sorted(found, key=lambda cell: (methods.index(cell.method), cell.seed))

    @cached_property
    def roles(self) -> Roles:
        """Who is compared with whom."""
        oracles = {cell.method for cell in self.cells if cell.about.get("dedicated")}
        ours = [name for name in self.methods if name.startswith(OURS)]
        reference = str(self.about.get("reference") or (ours[0] if ours else OURS))
        others = {reference, *ours, *oracles}
        return Roles(
            reference,
            tuple(name for name in ours if name != reference),
            tuple(name for name in self.methods if name in oracles),
            tuple(name for name in self.methods if name not in others),
        )

    def noisy(self) -> list[tuple[str, str, float]]:
        """Pairs of data sets that differ in the share of flipped choices alone: clean, noisy, share."""
        found: dict[str, dict[float, str]] = {}
        for name in self.datasets:
            config = self.of(name)[0].about["config"]
            source = json.loads(json.dumps(config.get("source") or {}))
            arguments = source.get("init_args") or {}
            options = int(arguments.get("num_options") or 2)
            # The outcome of a noisy choice is drawn anew, and comes out as it was once in `options` times.
            share = round(float(arguments.pop("flip_noise", 0) or 0) * (1 - 1 / options), 4)
            key = json.dumps([source, config.get("splits")], sort_keys=True)
            found.setdefault(key, {})[share] = name
        return [
            (by_share[0.0], name, share)
            for by_share in found.values()
            for share, name in sorted(by_share.items())
            if share and 0.0 in by_share
        ]


@dataclass(frozen=True)
class Roles:
    """Who is compared with whom.

    Attributes:
        reference: The configuration of ours that the claims are about.
        variants: Others of ours, no rivals.
        oracles: Given group labels: upper bounds, no rivals.
        rivals: All others.
    """

    reference: str
    variants: tuple[str, ...]
    oracles: tuple[str, ...]
    rivals: tuple[str, ...]


def _in_order(configured: Any, found: Sequence[str]) -> list[str]:
    names = list(configured or ())
    return [*(name for name in names if name in found), *sorted(set(found) - set(names))]
