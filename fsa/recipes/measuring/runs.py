"""Methods to measure: run folders, the choices that they are measured on, and their predictions."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from fsa.choices.rows import Rows
from fsa.choices.source import Source, Truth
from fsa.choices.splits import NAMES, Splitter
from fsa.choices.table import ChoiceTable
from fsa.devices import torch_device
from fsa.episodes.sampler import EpisodeRows, EpisodeSampler
from fsa.episodes.tokens import ItemTokens
from fsa.errors import ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.models.language_scorer import LanguageScorer
from fsa.outputs.item_features import ItemFeatures
from fsa.outputs.item_tokens import item_tokens
from fsa.outputs.loading import load
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.configured import parts_of
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.runs.components import refuse_foreign
from fsa.runs.folder import CONFIG_YAML, read_yaml
from fsa.settings import Range


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Args:
        context_sizes: Choices seen.
        split: Which split to measure on: `validation` while choosing, `test` once.
        episodes: Episodes; users take turns.
        max_targets: Most choices predicted per episode.
        seed: Seed of the episodes.
        trust_remote_code: Run parts of the runs that are not fsa's own.
        data: A file of choices to measure on in place of the runs' own split; see `Rows`.
    """

    context_sizes: Sequence[int]
    split: str = "test"
    episodes: int = 2000
    max_targets: int = 20
    seed: int = 1
    trust_remote_code: bool = False
    data: str | None = None

    def __post_init__(self) -> None:
        Range(at_least=1, at_most=10**7).check("episodes", self.episodes)
        Range(at_least=1, at_most=10**6).check("max_targets", self.max_targets)
        Range(at_most=10**6).check("context_sizes", self.context_sizes)
        Range(at_least=0, below=2**32).check("seed", self.seed)
        if not self.context_sizes or min(self.context_sizes) < 0:
            raise ConfigError(f"context_sizes must be numbers >= 0, at least one, came {self.context_sizes}")
        if self.split not in NAMES:
            raise ConfigError(f"split must be one of {', '.join(NAMES)}, came {self.split!r}")
        object.__setattr__(self, "context_sizes", sorted(set(self.context_sizes)))

    def frozen(self, table: ChoiceTable) -> EpisodeRows:
        """The episodes that all methods are measured on; people take turns."""
        sampler = EpisodeSampler(table, max(self.context_sizes), self.max_targets, self.seed, in_turn=True)
        return sampler.draw(np.arange(self.episodes))


@dataclass(frozen=True)
class Method:
    """A name and the run folders that are its seeds."""

    name: str
    runs: tuple[Path, ...]

    @classmethod
    def of(cls, given: str) -> Method:
        """From `FOLDER`, a glob of folders, or `NAME=` and either."""
        name, pattern = "", given
        if not _run_folders(given):  # a folder's own name may hold "="
            name, _, pattern = given.partition("=")
        found = _run_folders(pattern)
        if not found:
            raise ConfigError(f"--run {given}: no run folder there (a folder with {CONFIG_YAML})")
        return cls(name or Path(pattern).name.replace("*", "").strip("-_.") or pattern, found)


def named(given: Sequence[str]) -> list[Method]:
    """The methods asked for.

    Raises:
        ConfigError: None was asked for, one has no run, or two have one name.
    """
    methods = [Method.of(one) for one in given]
    names = [method.name for method in methods]
    if not names:
        raise ConfigError("--run is missing; name a run folder")
    for name, one in zip(names, given, strict=True):
        if names.count(name) > 1:
            raise ConfigError(f"--run {one}: another method is called {name} too; name one, NAME={one}")
    return methods


@dataclass(frozen=True)
class Data:
    """The choices a run is measured on, and their frozen episodes."""

    name: str
    table: ChoiceTable
    whole: ChoiceTable
    truth: Truth | None
    episodes: EpisodeRows
    fixed_users: bool
    items: dict[str, ItemFeatures] = field(default_factory=dict)

    def items_of(self, extractor: FeatureExtractor) -> ItemFeatures:
        """Features of the items, computed once for all runs that read items alike."""
        if extractor.fingerprint not in self.items:
            self.items[extractor.fingerprint] = ItemFeatures(self.table, extractor)
        return self.items[extractor.fingerprint]

    @property
    def groups(self) -> NDArray[np.int32]:
        """Groups that some target is of."""
        rows = self.episodes.target[self.episodes.target >= 0]
        return np.unique(self.table.group[rows])

    def counts(self, context_sizes: Sequence[int]) -> dict[str, Any]:
        """What stands behind the numbers, as reports tell it: see `fsa.reports.tables.Table`."""
        judged = np.unique(self.episodes.target[self.episodes.target >= 0])
        return {
            "episodes": len(self.episodes.index),
            "context shorter than asked": self.episodes.num_shortened,
            "people": len(np.unique(self.episodes.user)),
            "choices": len(judged),
            "seen": {str(size): round(self.episodes.mean_seen(size), 2) for size in context_sizes},
        }

    @classmethod
    def of(cls, config: Mapping[str, Any], settings: Settings) -> Data:
        """From a run's configuration.

        Raises:
            CheckpointError: Its source is foreign and not trusted.
        """
        source, splits = source_and_splits(config, settings.trust_remote_code)
        if settings.data is not None:
            table = Rows(settings.data, ties="drop").load()
            return cls(Path(settings.data).stem, table, table, None, settings.frozen(table), False)
        whole = source.load()
        truth = source.truth(whole)
        if config.get("shuffle_choices"):  # no taste made them: there is no truth to know
            whole, truth = whole.shuffled(), None
        table = getattr(splits(whole), settings.split)
        if not len(table):
            raise ConfigError(
                f"the {settings.split} split of this run holds no choices; measure on another (--split "
                "validation), or on a file of other people's choices (--data FILE)"
            )
        # Named users, each a group of one, are not a sample of anything: then the claim is about them.
        fixed = table.num_users == len(np.unique(table.group))
        return cls(
            _data_name(config["source"]),
            table,
            whole,
            truth,
            settings.frozen(table),
            fixed,
        )


@dataclass(frozen=True)
class Run:
    """One training of a method, with what it is measured on."""

    model: RewardModel
    seed: int
    only_group: str | None
    at: Data
    features: Float[Tensor, "m d"]
    tokens: ItemTokens | None = None

    def predict(self, size: int, flip: bool = True) -> Predictions:
        """Predictions after `size` choices; those of a dedicated model for its own group."""
        at = self.at
        seen = at.episodes.with_context(size)
        predictions = predict(self.model, at.table, self.features, seen, at.truth, self.tokens, flip)
        if self.only_group is None:
            return predictions
        return predictions.where(predictions.group == at.table.groups.index(self.only_group).as_py())


def source_and_splits(config: Mapping[str, Any], trust_remote_code: bool = False) -> tuple[Source, Splitter]:
    """Where a run's choices come from, and how it parts them.

    Raises:
        CheckpointError: The source is foreign and not trusted.
    """
    for slot in ("source", "splits"):
        if not isinstance(config.get(slot), Mapping):
            raise ConfigError(f"{CONFIG_YAML}: {slot} is missing, or is no part")
    if not trust_remote_code:
        for slot in ("source", "splits"):
            refuse_foreign(config[slot], f"{CONFIG_YAML}: {slot}")
    kinds = {"source": Source, "splits": Splitter}
    parts = parts_of({name: config[name] for name in kinds}, kinds, CONFIG_YAML)
    return parts["source"], parts["splits"]


def opened(folder: Path, settings: Settings, known: dict[str, Data]) -> Run:
    """A run folder's model, and its data out of `known`, which is added to."""
    config = read_yaml(folder / CONFIG_YAML)
    model = load(folder, trust_remote_code=settings.trust_remote_code)
    key = repr([config.get(name) for name in ("source", "splits", "shuffle_choices")])
    if key not in known:
        known[key] = Data.of(config, settings)
    at = known[key]
    features = at.items_of(model.features).project(model.projection)
    tokens = None
    if isinstance(model.scorer, LanguageScorer):
        model.to(torch_device())
        tokens = item_tokens(at.table, model.scorer, model.texts)
    return Run(model, int(config["seed"]), config.get("only_group"), at, features, tokens)


def _run_folders(pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(Path(found) for found in glob.glob(pattern) if (Path(found) / CONFIG_YAML).is_file()))


def _data_name(source: Mapping[str, Any]) -> str:
    """The source's class, or the file that it reads."""
    name: str = source["class_path"].rpartition(".")[2].lower()
    path = (source.get("init_args") or {}).get("path")
    return Path(path if isinstance(path, str) else path[0]).stem if name == "jsonl" and path else name
