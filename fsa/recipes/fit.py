"""`fit`: from anybody's file to a model, and to whether it pays to read a person's choices."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fsa.choices.ratings import Ratings
from fsa.choices.reading.mapped_rows import MappedRows
from fsa.choices.reading.row_files import open_rows
from fsa.choices.rows import Rows
from fsa.choices.source import Source
from fsa.choices.splits import NAMES, Splitter
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.outputs.item_features import ItemFeatures
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.configured import configured, preset
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.recipes.measuring.runs import Settings
from fsa.recipes.people_report import Verdict, people_report
from fsa.recipes.reward import train_reward
from fsa.reports.report import Report
from fsa.runs.components import refuse_foreign
from fsa.runs.folder import about_this_run
from fsa.runs.model_card import write_card
from fsa.runs.safe_yaml import read_mapping

PRESET = "reward/choices"
POOLED_PRESET = "baseline/pooled"
_SIZES = (0, 1, 3, 5, 10)
_VALIDATION = 0.1  # of the people that are not tested
_FEWEST = 6  # people: two to train on, two to stop by, two to test on
_EPISODES, _TARGETS = 3, 50  # a person's at most: a draw of what is seen, and choices predicted from it


def fit(
    data: Any,
    columns: dict[str, Any] | None = None,
    out: str = "runs/fit",
    folds: int = 5,
    presets: list[str] = [PRESET],  # noqa: B006 (never changed; jsonargparse shows it)
    settings: list[str] = [],  # noqa: B006
    smallest_gap: float = 1.0,
    seed: int = 0,
    overwrite: bool = False,
) -> RewardModel:
    """Train on a file of people's choices or ratings, say whether personalisation pays, and keep the model.

    Says what the file holds. Tests on new people: each fold trains the preset and one model for everybody on
    the same people, and predicts choices of the others. Then trains on everybody: the preset where its gain
    is proven, else the model that answers everybody alike. OUT holds the model with its card, and OUT/eval
    the report, the plots and the verdict.

    Args:
        data: A JSONL, CSV or Parquet file, a folder of `save_to_disk`, a data set's name on the hub; in
            Python also a `Dataset`, or a list of rows.
        columns: Which column each field is in, such as {user: annotator, chosen: better}; see `Rows` for
            choices, and `Ratings` for rows of user, response and rating.
        out: Run folder to write.
        folds: Parts that people are dealt into; each is tested once. 1 tests a fifth of the people.
        presets: Configuration files of the model, or names of those that come with fsa.
        settings: More for the training recipe, one `--key=value` each.
        smallest_gap: Of ratings, see `Ratings`.
        seed: Seed of folds and training.
        overwrite: Start anew where the folder holds a run already, which is lost.

    Raises:
        ChoiceDataError: The data cannot be read; names file, row and field.
        ConfigError: There are too few people to train on, or the folder holds a run already.
    """
    if folds < 1:
        raise ConfigError(f"folds must be 1 or more, came {folds}")
    console = Console(stderr=True)
    source, spec = source_of(data, columns, smallest_gap)
    table = source.load()
    console.print(described(table))
    if table.num_users < _FEWEST:
        raise ChoiceDataError(
            f"must hold choices of at least {_FEWEST} people to train, came {table.num_users}"
        )
    job = _Job(table, spec, presets, [*settings, *_for_outcomes(table)], seed, overwrite)
    report, verdict = job.tested(Path(out) / "folds", folds, console)
    console.print("training on everybody")
    model = job.trained(Path(out), verdict.is_personal, test=0.0, turn=0.0)
    report.save(Path(out) / "eval")
    write_card(Path(out), model.config, None)  # again, now that there is a report to tell of
    report.print_tables(console)
    console.print(f"[bold]{verdict.text}[/]", highlight=False)
    return model


def source_of(
    data: Any, columns: Mapping[str, Any] | None, smallest_gap: float = 1.0
) -> tuple[MappedRows, dict[str, Any]]:
    """The source of some data, and its plain form: `Ratings` where rows have a rating, else `Rows`."""
    columns = dict(columns or {})
    arguments: dict[str, Any] = {"path": data, "columns": columns or None}
    names = _names(data)
    is_rated = "rating" in columns or (
        {"response", "rating"} <= names and not {"options", "rejected"} & names
    )
    if is_rated:
        arguments["smallest_gap"] = smallest_gap
    else:
        arguments["ties"] = "drop"
    kind = Ratings if is_rated else Rows
    path = data if isinstance(data, str) else "in memory"
    spec = {"class_path": f"{kind.__module__}.{kind.__name__}", "init_args": {**arguments, "path": path}}
    return kind(**arguments), spec


def described(table: ChoiceTable) -> str:
    """What a table holds, in words: people, choices, texts, groups, and what was left out."""
    each = np.diff(table.user_offsets)
    users = np.repeat(table.user, table.num_options)
    pairs = np.unique(np.stack([table.option, users]), axis=1)[0]
    shared = float((np.bincount(pairs)[table.items_used] > 1).mean())
    groups = len(np.unique(table.group))
    lines = [
        f"{len(table):,} choices of {table.num_users:,} people, {int(np.median(each))} a person "
        f"({each.min()} to {each.max()})",
        f"{len(table.items_used):,} texts, {100 * shared:.0f} % of them judged by several people, "
        f"{len(np.unique(table.prompt)):,} prompts, {groups} group{'s' * (groups != 1)}",
        *(f"{count:,} {name.replace('_', ' ')}" for name, count in table.counts.items() if count),
    ]
    return "; ".join(lines)


def _names(data: Any) -> set[str]:
    """Columns, or the fields of the first row."""
    for file in open_rows(data):
        if file.columns is not None:
            return set(file.columns)
        for _, row in file.read((), lambda error: None):
            return set(row) if isinstance(row, Mapping) else set()
    return set()


def _for_outcomes(table: ChoiceTable) -> list[str]:
    """Settings that the preset needs for rankings."""
    found = []
    if "ranking" in table.outcome_kinds:
        found.append("--likelihood=fsa.likelihoods.plackett_luce.PlackettLuce")
    return found


class _Loaded(Source):
    """A source that was read already."""

    def __init__(self, table: ChoiceTable) -> None:
        self.table = table

    def load(self) -> ChoiceTable:
        return self.table


class _Job:
    """Trainings on one table that differ in who is tested, and in whether choices are read."""

    def __init__(
        self,
        table: ChoiceTable,
        spec: Mapping[str, Any],
        presets: list[str],
        settings: list[str],
        seed: int,
        overwrite: bool,
    ) -> None:
        self.table, self.spec, self.presets, self.settings = table, spec, presets, settings
        self.seed, self.overwrite = seed, overwrite

    def splitter(self, test: float, turn: float) -> Splitter:
        """People in train, validation and test; at least two in validation."""
        validation = max(_VALIDATION * (1 - test), 2 / self.table.num_users)
        fractions = (1 - test - validation, validation, test)
        return Splitter("user", fractions, self.seed, turn=turn, balanced=True)

    def trained(self, out: Path, is_personal: bool, test: float, turn: float) -> RewardModel:
        """A model trained on whom the splitter puts into train, and its run folder."""
        splits = self.splitter(test, turn)
        init = {**vars(splits), "fractions": list(splits.fractions), "unseen": list(splits.unseen)}
        plain = {"class_path": "fsa.choices.splits.Splitter", "init_args": init}
        configs = [*self.presets, *([] if is_personal else [POOLED_PRESET])]
        files = [preset(name) for name in configs]
        for file in files:
            refuse_foreign(read_mapping(file), str(file))
        arguments = [part for file in files for part in ("--config", str(file))]
        arguments += [f"--source={json.dumps(self.spec)}", f"--splits={json.dumps(plain)}"]
        arguments += [f"--out={out}", f"--seed={self.seed}", f"--overwrite={str(self.overwrite).lower()}"]
        keywords = configured(train_reward, [*arguments, *self.settings])
        return train_reward(**{**keywords, "source": _Loaded(self.table), "splits": splits})

    def tested(self, folder: Path, folds: int, console: Console) -> tuple[Report, Verdict]:
        """The report and the verdict of all folds together."""
        size = self.largest_size()
        personal: dict[int, list[Predictions]] = {s: [] for s in (*(s for s in _SIZES if s < size), size)}
        pooled: list[Predictions] = []
        test = 0.2 if folds == 1 else 1 / folds
        for fold in range(folds):
            console.print(f"fold {fold + 1} of {folds}")
            turn = fold * test
            one = folder / str(fold)
            ours = self.trained(one / "personal", True, test, turn)
            rival = self.trained(one / "pooled", False, test, turn)
            found, found_pooled = self.predicted(ours, rival, self.splitter(test, turn), list(personal))
            pooled.append(found_pooled)
            for seen, predictions in found.items():
                personal[seen].append(predictions)
        joined = {seen: Predictions.concatenate(parts) for seen, parts in personal.items()}
        groups = self.table.groups.to_pylist()
        rows, verdict = people_report(joined, Predictions.concatenate(pooled), groups, self.name)
        command = "fsa " + " ".join(sys.argv[1:])
        about = about_this_run(command=command, seed=self.seed, folds=folds, verdict=verdict.text)
        return Report(rows, about), verdict

    @property
    def name(self) -> str:
        """Of the data set, for the report."""
        path = str(self.spec["init_args"]["path"])
        return Path(path).name.split(".")[0] or path

    def largest_size(self) -> int:
        """Choices seen that the verdict is of: up to 10, as half of the people have with one to predict."""
        most = int(np.median(np.diff(self.table.user_offsets))) - 1
        return max(size for size in _SIZES if size <= max(most, 1))

    def predicted(
        self, ours: RewardModel, rival: RewardModel, splitter: Splitter, sizes: list[int]
    ) -> tuple[dict[int, Predictions], Predictions]:
        """Predictions of the same choices of tested people, after each number of choices, and without any.

        People with too few choices for the largest context are left out.
        """
        test = splitter(self.table).test
        largest = max(sizes)
        settings = Settings(sizes, NAMES[2], _EPISODES * test.num_users, _TARGETS, self.seed + 1)
        episodes = settings.frozen(test)
        full = np.flatnonzero((episodes.context >= 0).sum(1) == largest)
        if not len(full):
            raise ChoiceDataError(
                f"{self.name}: nobody who is tested has more than {largest} choices of prompts or texts that "
                "differ; there is nothing to see beside what is predicted"
            )
        episodes = replace(episodes, **{name: column[full] for name, column in vars(episodes).items()})
        numbers = {name: number for number, name in enumerate(self.table.users.to_pylist())}
        users = np.array([numbers[name] for name in test.users.to_pylist()])
        rows = np.concatenate([np.arange(*self.table.user_offsets[user : user + 2]) for user in users])

        def of_all(predictions: Predictions) -> Predictions:
            return replace(predictions, user=users[predictions.user], row=rows[predictions.row])

        matrices = [ItemFeatures(test, model.features).project(model.projection) for model in (ours, rival)]
        found = {
            size: of_all(predict(ours, test, matrices[0], episodes.with_context(size))) for size in sizes
        }
        return found, of_all(predict(rival, test, matrices[1], episodes.with_context(0)))
