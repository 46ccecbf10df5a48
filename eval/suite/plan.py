"""What a suite is made of: data sets, methods, and the cells that they come to, each with its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from eval.suite.cells import PLACES, Cell
from fsa.cli.recipes import configs_first, plain_arguments
from fsa.errors import ConfigError
from fsa.recipes.configured import recipe_parser
from fsa.recipes.measuring.runs import Settings
from fsa.recipes.reward import train_reward

RESULTS_VERSION = 2
"""Raised whenever a change of the code changes what cells come to: all of them are then done anew."""
_NOT_IN_KEY = ("out", "resume", "overwrite", "seed")


@dataclass(frozen=True)
class DataSet:
    """A data set of a suite, as the YAML says it.

    Attributes:
        config: Configurations of the training recipe that say what is learned from, later over earlier.
        set: Options over them, by dotted name.
        data: Name of a folder that `--data.NAME` gives; it becomes the source's path.
        file: A file of that folder, which becomes the path instead.
        claim: What is new in the split that is measured, one of `PLACES`.
        conflicts: Choices seen where the share of conflicting ones is set; none measures no such thing.
    """

    name: str
    config: Sequence[str] = ()
    set: Mapping[str, Any] | None = None
    data: str | None = None
    file: str = ""
    claim: str = PLACES[0]
    conflicts: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.claim not in PLACES:
            raise ConfigError(
                f"datasets: {self.name}: claim must be one of {'; '.join(PLACES)}, came {self.claim!r}"
            )


@dataclass(frozen=True)
class Member:
    """A method of a suite, as the YAML says it.

    Attributes:
        config: Configurations over those of the data set.
        set: Options over them, by dotted name.
        datasets: Patterns of data sets that it is for; all where None.
        dedicated: One model a group, which knows whose group it is: the oracle.
        per_dataset: More for single data sets, by pattern: `config` and `set`.
    """

    name: str
    config: Sequence[str] = ()
    set: Mapping[str, Any] | None = None
    datasets: Sequence[str] | None = None
    dedicated: bool = False
    per_dataset: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Plan:
    """A whole suite: what is measured on what, and how."""

    datasets: Mapping[str, DataSet]
    methods: Mapping[str, Member]
    seeds: Sequence[int]
    settings: Settings
    folders: Mapping[str, str]

    @classmethod
    def of(
        cls,
        datasets: Mapping[str, Any],
        methods: Mapping[str, Any],
        seeds: Sequence[int],
        settings: Settings,
        folders: Mapping[str, str],
    ) -> Plan:
        """From the plain form in YAML.

        Raises:
            ConfigError: A field is unknown, or a folder is for no data set.
        """
        known = {name: _read(DataSet, "datasets", name, given) for name, given in datasets.items()}
        members = {name: _read(Member, "methods", name, given) for name, given in methods.items()}
        wanted = {one.data for one in known.values()} - {None}
        if unknown := folders.keys() - wanted:
            asked_for = ", ".join(sorted(filter(None, wanted))) or "none"
            raise ConfigError(f"--data.{min(unknown)}: no data set reads it; the data sets read {asked_for}")
        return cls(known, members, seeds, settings, folders)

    def cells(self, only: str = "*") -> list[Cell]:
        """Every cell whose name, DATASET/METHOD/SEED, fits the pattern; seed by seed, so that a suite that is
        stopped has seen everything once.

        Raises:
            ConfigError: No cell fits, or a configuration cannot be read.
        """
        found = [
            cell
            for seed in self.seeds
            for dataset in self.datasets.values()
            for method in self.methods.values()
            if method.datasets is None or any(fnmatch(dataset.name, one) for one in method.datasets)
            if fnmatch(f"{dataset.name}/{method.name}/{seed}", only)
            for cell in [self.cell(dataset, method, seed)]
        ]
        if not found:
            raise ConfigError(f"--only {only}: no cell is called so; a cell is called DATASET/METHOD/SEED")
        return found

    def cell(self, dataset: DataSet, method: Member, seed: int) -> Cell:
        """One cell and its key."""
        arguments = self.arguments(dataset, method)
        config = {**resolved(arguments), "seed": seed}
        counted = {name: value for name, value in config.items() if name not in _NOT_IN_KEY}
        # Dedicated training knows its groups from the data, of which the questions' key tells.
        key = _hash([seed, counted, method.dedicated, self.key_of_questions(dataset.name)])
        return Cell(dataset.name, method.name, seed, key, arguments, config, method.dedicated)

    def key_of_questions(self, name: str) -> str:
        """Names what all methods are asked on a data set."""
        dataset = self.datasets[name]
        config = resolved(self.arguments(dataset))
        data = {name: config[name] for name in ("source", "splits")}
        asked = {"claim": dataset.claim, "conflicts": list(dataset.conflicts), **vars(self.settings)}
        return _hash([RESULTS_VERSION, asked, data])

    def arguments(self, dataset: DataSet, method: Member | None = None) -> tuple[str, ...]:
        """Of the training recipe; without a method those that say what the data are."""
        parts: list[Mapping[str, Any]] = [vars(dataset)]
        if method:
            more = method.per_dataset or {}
            parts += [vars(method), *(said for name, said in more.items() if fnmatch(dataset.name, name))]
        configs = [f"--config={path}" for part in parts for path in part.get("config") or ()]
        options = [f"--{k}={_as_text(v)}" for part in parts for k, v in (part.get("set") or {}).items()]
        folder = self.folders.get(dataset.data or "")
        file = Path(folder or "") / dataset.file
        path = [f"--source.path={file}"] if folder or dataset.file else []
        return (*configs, *options, *path)


def resolved(arguments: tuple[str, ...]) -> dict[str, Any]:
    """The whole configuration that arguments of the training recipe come to, in plain form.

    Raises:
        ConfigError: They cannot be read.
    """
    return dict(json.loads(_resolved(arguments)))


@cache
def _resolved(arguments: tuple[str, ...]) -> str:
    try:
        parsed = _parser().parse_args(configs_first(plain_arguments(arguments)))
    except Exception as error:  # jsonargparse's errors have no common type
        raise ConfigError(f"{' '.join(arguments)}: {error}") from error
    plain = parsed.as_dict()
    plain.pop("config", None)
    return json.dumps(plain)


@cache
def _parser() -> ArgumentParser:
    return recipe_parser(train_reward, exit_on_error=False)


def _read(kind: type[Any], where: str, name: str, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: {name} should be fields such as config, came {given!r:.80}")
    known = [field.name for field in fields(kind) if field.name != "name"]
    if unknown := set(given) - set(known):
        raise ConfigError(
            f"{where}: {name} has {', '.join(sorted(unknown))}; its fields are {', '.join(known)}"
        )
    return kind(name, **given)


def _hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=6).hexdigest()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
