"""`fit`: a model from a file of choices, and a verdict on whether personalisation pays."""

from __future__ import annotations

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
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.people_report import PERSONAL, POOLED
from fsa.recipes.trials import Trials
from fsa.runs.hub_results import KEPT
from fsa.runs.model_card import write_card
from fsa.settings import Range

PRESET = "reward/choices"
_FEWEST = 6  # people: two to train on, two to stop by, two to test on


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
    the same people, and predicts choices of the others, also of prompts new to both where there are enough.
    Then trains on all people: the preset where its gain is proven, else the model that answers all people
    alike. OUT holds the model with its card, and OUT/eval the report, the plots and the verdict.

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
    Range(above=0).check("smallest_gap", smallest_gap)
    console = Console(stderr=True)
    source, spec = source_of(data, columns, smallest_gap)
    table = source.load()
    console.print(described(table))
    if table.num_users < _FEWEST:
        raise ChoiceDataError(
            f"must hold choices of at least {_FEWEST} people to train, came {table.num_users}"
        )
    ranked = ["--likelihood=fsa.likelihoods.plackett_luce.PlackettLuce"]  # what the preset needs for rankings
    more = ranked if "ranking" in table.outcome_kinds else []
    trials = Trials(table, spec, presets, [*settings, *more], seed, overwrite)
    report, verdict = trials.tested(Path(out) / "folds", folds, console, "fsa")
    console.print("training on all people")
    model = trials.trained(Path(out), verdict.is_personal, trials.by_people(test=0.0))
    kept = PERSONAL if verdict.is_personal else POOLED
    report = replace(report, about={**report.about, KEPT: kept})
    report.save(Path(out) / "eval")
    write_card(Path(out), model.config, None)  # again, now that there is a report to tell of
    result = Console()  # progress is on the error stream, what it was for on the other
    report.print_tables(result)
    result.print(f"[bold]{verdict.text}[/]", highlight=False, soft_wrap=True)
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
