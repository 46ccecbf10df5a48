"""`Trials`: trainings on one table that differ in who is tested, and in whether choices are read."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from rich.console import Console

from fsa.choices.source import Source
from fsa.choices.splits import NAMES, Splitter
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.outputs.item_features import ItemFeatures
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.configured import configured, preset
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.recipes.measuring.runs import Settings
from fsa.recipes.people_report import FEWEST_PEOPLE, PERSONAL, Verdict, people_report
from fsa.recipes.population import population_model
from fsa.recipes.reward import train_reward
from fsa.reports.report import Report
from fsa.reports.row import Row
from fsa.runs.components import refuse_foreign
from fsa.runs.folder import about_this_run
from fsa.runs.safe_yaml import read_mapping

POOLED_PRESET = "baseline/pooled"
_SIZES = (0, 1, 3, 5, 10)
_BOTH = (0.65, 0.1, 0.25)  # of people and of prompts, where both are new
_PROMPTS = 20  # fewer leave too few to hold some out
_VALIDATION = 0.1  # of the people that are not tested; but at least
_JUDGES = 12  # of them, or a third where that is fewer
_EPISODES, _TARGETS = 3, 50  # a person's at most: a draw of what is seen, and choices predicted from it

_Curve: TypeAlias = dict[int, Predictions]
"""Predictions after each number of choices, all of the same choices."""


@dataclass(frozen=True)
class _Compared:
    """What several methods make of the same choices of the same people.

    Attributes:
        methods: Of the personal model, under its name in reports, and of each rival.
        pooled: Predictions of one model for everybody.
        left_out: People who were not asked about, for they have too few choices.
    """

    methods: dict[str, _Curve]
    pooled: Predictions
    left_out: int


class _Loaded(Source):
    """A source that was read already."""

    def __init__(self, table: ChoiceTable) -> None:
        self.table = table

    def load(self) -> ChoiceTable:
        return self.table


class Trials:
    """Trains on a table of choices, and tests on people that were left out.

    Args:
        table: The choices.
        spec: Plain form of their source, for the run folders.
        presets: Configuration files of the model, or names of those that come with fsa.
        settings: More for the training recipe, one `--key=value` each.
        seed: Seed of the splits and of training.
        overwrite: Whether runs that are there already may go.
        rivals: Other methods to train and test beside the model: configuration files of each, by name.
    """

    def __init__(
        self,
        table: ChoiceTable,
        spec: Mapping[str, Any],
        presets: list[str],
        settings: list[str],
        seed: int,
        overwrite: bool,
        rivals: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.rivals = dict(rivals or {})
        self.table, self.spec, self.presets, self.settings = table, spec, presets, settings
        self.seed, self.overwrite = seed, overwrite

    def by_people(self, test: float, turn: float = 0.0) -> Splitter:
        """People in train, validation and test.

        Four people cannot tell what helps from chance, so that a small data set gives up a third of those it
        could train on.
        """
        people, rest = self.table.num_users, 1 - test
        validation = max(_VALIDATION * rest, 2 / people, min(_JUDGES / people, rest / 3))
        fractions = (rest - validation, validation, test)
        return Splitter("user", fractions, self.seed, turn=turn, balanced=True)

    def by_people_and_prompts(self) -> Splitter | None:
        """The same with the prompts parted too; None where too little would be left to predict."""
        splits = Splitter("both", _BOTH, self.seed, balanced=True)
        if len(np.unique(self.table.prompt)) < _PROMPTS:
            return None
        test = splits(self.table).test
        is_enough = test.num_users >= FEWEST_PEOPLE and np.median(np.diff(test.user_offsets)) > _SIZES[1]
        return splits if is_enough else None

    def trained(self, out: Path, is_personal: bool, splits: Splitter) -> RewardModel:
        """A model trained on what the splitter puts into train, and its run folder."""
        return self._trained(out, [*self.presets, *([] if is_personal else [POOLED_PRESET])], splits)

    def _trained(self, out: Path, configs: list[str], splits: Splitter) -> RewardModel:
        init = {**vars(splits), "fractions": list(splits.fractions), "unseen": list(splits.unseen)}
        plain = {"class_path": "fsa.choices.splits.Splitter", "init_args": init}
        files = [preset(name) for name in configs]
        for file in files:
            refuse_foreign(read_mapping(file), str(file))
        arguments = [part for file in files for part in ("--config", str(file))]
        arguments += [f"--source={json.dumps(self.spec)}", f"--splits={json.dumps(plain)}"]
        arguments += [f"--out={out}", f"--seed={self.seed}", f"--overwrite={str(self.overwrite).lower()}"]
        keywords = configured(train_reward, [*arguments, *self.settings])
        return train_reward(**{**keywords, "source": _Loaded(self.table), "splits": splits})

    def tested(self, folder: Path, folds: int, console: Console, command: str) -> tuple[Report, Verdict]:
        """The report, and the verdict of all folds of people together.

        Args:
            folder: Of the runs.
            folds: Parts that people are dealt into; each is tested once.
            console: Where progress is said.
            command: What makes the report again, without its arguments.
        """
        test = 0.2 if folds == 1 else 1 / folds
        parts = []
        for fold in range(folds):
            console.print(f"fold {fold + 1} of {folds}: new people")
            parts.append(self.compared(folder / str(fold), self.by_people(test, fold * test)))
        rows, verdict = self.judged(parts, "known")
        words = [verdict.text]
        if splits := self.by_people_and_prompts():
            console.print("new people and new texts")
            more, of_new = self.judged([self.compared(folder / "new_texts", splits)], "new")
            rows += more
            words.append(f"with texts that are new too: {of_new.text.split('; the saved')[0]}")
        left_out = sum(part.left_out for part in parts)
        about = about_this_run(
            command=f"{command} {shlex.join(sys.argv[1:])}",
            seed=self.seed,
            folds=folds,
            verdict=". ".join(words),
            left_out={"people with too few choices for the last column": left_out},
        )
        return Report(rows, about), replace(verdict, text=". ".join(words))

    def judged(self, parts: list[_Compared], texts: Literal["known", "new"]) -> tuple[list[Row], Verdict]:
        """Rows and verdict of several folds as one."""
        sizes = sorted(set.intersection(*(set(part.methods[PERSONAL]) for part in parts)))
        joined = {
            name: {
                size: Predictions.concatenate([part.methods[name][size] for part in parts]) for size in sizes
            }
            for name in parts[0].methods
        }
        pooled = Predictions.concatenate([part.pooled for part in parts])
        personal = joined.pop(PERSONAL)
        return people_report(personal, pooled, self.table.groups.to_pylist(), self.name, texts, joined)

    def compared(self, folder: Path, splits: Splitter) -> _Compared:
        """Train with and without people's choices, and predict those of the people in test.

        One model for all users is the first stage of the personal one where it has that stage, which is the
        same training.
        """
        methods = {PERSONAL: self.trained(folder / "personal", True, splits)}
        pooled = population_model(methods[PERSONAL], folder / "personal")
        if pooled is None:
            pooled = self.trained(folder / "pooled", False, splits)
        for name, configs in self.rivals.items():
            methods[name] = self._trained(folder / name, configs, splits)
        return self.predicted(methods, pooled, splits(self.table).test)

    @property
    def name(self) -> str:
        """Of the data set, for the report."""
        path = str(self.spec["init_args"]["path"])
        return Path(path).name.split(".")[0] or path

    def predicted(
        self, methods: Mapping[str, RewardModel], pooled: RewardModel, test: ChoiceTable
    ) -> _Compared:
        """Predictions of the same choices of tested people, after each number of choices, and without any.

        The largest number is as many of 10 as half of the people have, with one to predict; people with too
        few for it are left out, and counted.
        """
        most = int(np.median(np.diff(test.user_offsets))) - 1
        sizes = [size for size in _SIZES if size <= max(most, 1)]
        settings = Settings(sizes, NAMES[2], _EPISODES * test.num_users, _TARGETS, self.seed + 1)
        episodes = settings.frozen(test)
        full = np.flatnonzero((episodes.context >= 0).sum(1) == sizes[-1])
        if not len(full):
            raise ChoiceDataError(
                f"{self.name}: no tested person has more than {sizes[-1]} choices of prompts or texts "
                "that differ; there is nothing to see beside what is predicted"
            )
        episodes = replace(episodes, **{name: column[full] for name, column in vars(episodes).items()})
        numbers = {name: number for number, name in enumerate(self.table.users.to_pylist())}
        users = np.array([numbers[name] for name in test.users.to_pylist()])
        rows = np.concatenate([np.arange(*self.table.user_offsets[user : user + 2]) for user in users])

        def of_all(predictions: Predictions) -> Predictions:
            return replace(predictions, user=users[predictions.user], row=rows[predictions.row])

        def curve(model: RewardModel, sizes: list[int]) -> _Curve:
            features = ItemFeatures(test, model.features).project(model.projection)
            return {
                size: of_all(predict(model, test, features, episodes.with_context(size))) for size in sizes
            }

        return _Compared(
            {name: curve(model, sizes) for name, model in methods.items()},
            curve(pooled, [0])[0],
            test.num_users - len(np.unique(episodes.user)),
        )
