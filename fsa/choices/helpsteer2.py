"""`HelpSteer2`: simulated users over responses that people rated, from files or the hub."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fsa.choices.reading.json_lines import json_lines, stop
from fsa.choices.reading.record import refuse
from fsa.choices.reading.row_files import open_rows
from fsa.choices.simulation.simulate import simulate
from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import is_number

ATTRIBUTES = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
USERS: Mapping[str, Mapping[str, float]] = {
    "helpful": {"helpfulness": 1.0, "correctness": 0.3, "coherence": 0.3},
    "long": {"verbosity": 1.0},
    "concise": {"verbosity": -1.0},
    "complex": {"complexity": 1.0},
    "simple": {"complexity": -1.0},
}
_MAX_RATING = 4
_FILES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "upstream": {
        "train": ("train.jsonl.gz", "train.jsonl"),
        "test": ("validation.jsonl.gz", "validation.jsonl"),
    },
    "steerable": {"train": ("steerable_train.json",), "test": ("steerable_eval.json",)},
}


class HelpSteer2(Source):
    """Each user compares the two responses to each prompt by a weighted sum of their ratings (0 to 4).

    Prompts of the train file make the split "train", those of the validation file "test"; group = user. In
    `counts`: `identical_responses` and `blank_responses` (pairs left out), `unpaired_responses`,
    `prompts_in_both_splits` (kept in test alone), `length_ratio_dropped`, and `ties_dropped` over all users.
    The order of two responses is shuffled by a stable hash. Both arrangements give the same users the same
    choices.

    Args:
        path: A folder with the files, or a data set on the hub (upstream arrangement only).
        arrangement: "upstream" is rows of `prompt`, `response` and five ratings, in which two consecutive
            rows share a prompt (train.jsonl.gz, validation.jsonl.gz); "steerable" is lists of `prompt`,
            `responses`, and `labels`, which are ratings / 4 (steerable_train.json, steerable_eval.json).
        users: Weight of each rating for each user; None for the five of `USERS`.
        ties: "drop" or "keep" pairs between which a user is indifferent.
        max_log_length_ratio: Keep pairs with |log(length / other length)| below this, in characters, > 0.
            Small values leave what length does not tell.
        seed: Of the order of two responses.

    Reference:
        [Wang2024] HelpSteer2: open-source dataset for training top-performing reward models.
        [Adams2025] Steerable pluralistic alignment, whose arrangement "steerable" is.
    """

    def __init__(
        self,
        path: str = "nvidia/HelpSteer2",
        *,
        arrangement: Literal["upstream", "steerable"] = "upstream",
        users: dict[str, dict[str, float]] | None = None,
        ties: Literal["keep", "drop"] = "drop",
        max_log_length_ratio: float | None = None,
        seed: int = 0,
    ) -> None:
        if max_log_length_ratio is not None and not max_log_length_ratio > 0:
            raise ConfigError(f"max_log_length_ratio must be > 0, came {max_log_length_ratio}")
        self.path = path
        self.arrangement: Literal["upstream", "steerable"] = arrangement
        self.users: Mapping[str, Mapping[str, float]] = users or USERS
        self.ties: Literal["keep", "drop"] = ties
        self.max_log_length_ratio = max_log_length_ratio
        self.seed = seed

    def load(self) -> ChoiceTable:
        """All users' choices.

        Raises:
            ChoiceDataError: A file is missing, or a row is not what the arrangement says.
            ConfigError: A user weighs something that is not rated.
        """
        counts: dict[str, int] = {}
        pairs = [pair for split in ("test", "train") for pair in self._pairs(split, counts)]
        pairs = self._kept(pairs, counts)
        if not pairs:
            raise ChoiceDataError(
                f"{self.path}: must hold at least one pair of responses, came none ({counts})"
            )
        prompts = {pair.prompt: pair.split for pair in pairs}
        number = {prompt: i for i, prompt in enumerate(prompts)}
        table = simulate(
            np.array([ratings for pair in pairs for ratings in pair.ratings], np.float64),
            self.users,
            attributes=ATTRIBUTES,
            prompts=list(prompts),
            responses=[response for pair in pairs for response in pair.responses],
            item_prompt=np.repeat([number[pair.prompt] for pair in pairs], 2),
            pairs=np.arange(2 * len(pairs)).reshape(-1, 2),
            splits=list(prompts.values()),
            ties=self.ties,
            seed=self.seed,
        )
        counts |= table.counts
        return table.with_counts(counts)

    def _pairs(self, split: str, counts: dict[str, int]) -> Iterator[_Pair]:
        if self.arrangement == "steerable":
            return _steerable_pairs(self._file(split), split)
        rows = self._hub_rows(split) if self._is_on_hub() else json_lines(self._file(split), stop)
        return _consecutive(rows, split, counts)

    def _is_on_hub(self) -> bool:
        return (
            not Path(self.path).expanduser().exists()
            and self.path.count("/") == 1
            and self.path[0] not in "./~"
        )

    def _file(self, split: str) -> Path:
        folder, names = Path(self.path).expanduser(), _FILES[self.arrangement][split]
        for name in names:
            if (folder / name).is_file():
                return folder / name
        raise ChoiceDataError(f"{folder}: must be a folder with {' or '.join(names)}, came no such file")

    def _hub_rows(self, split: str) -> Iterator[tuple[str, Any]]:
        upstream = {"train": "train", "test": "validation"}[split]
        for rows in open_rows(self.path, split=upstream):
            yield from rows.read(("prompt", "response", *ATTRIBUTES), stop)

    def _kept(self, pairs: list[_Pair], counts: dict[str, int]) -> list[_Pair]:
        tested = {pair.prompt for pair in pairs if pair.split == "test"}
        limit = self.max_log_length_ratio
        drops: dict[str, Callable[[_Pair], bool]] = {
            "identical_responses": lambda pair: pair.responses[0] == pair.responses[1],
            "blank_responses": lambda pair: not all(response.strip() for response in pair.responses),
            "prompts_in_both_splits": lambda pair: pair.split == "train" and pair.prompt in tested,
            "length_ratio_dropped": lambda pair: limit is not None and abs(pair.log_length_ratio) >= limit,
        }
        for name, is_dropped in drops.items():
            counts[name] = sum(map(is_dropped, pairs))
            pairs = [pair for pair in pairs if not is_dropped(pair)]
        return pairs


@dataclass(frozen=True)
class _Pair:
    prompt: str
    responses: tuple[str, str]
    ratings: tuple[tuple[float, ...], tuple[float, ...]]
    split: str

    @property
    def log_length_ratio(self) -> float:
        return math.log(len(self.responses[0]) / len(self.responses[1]))


def _consecutive(rows: Iterator[tuple[str, Any]], split: str, counts: dict[str, int]) -> Iterator[_Pair]:
    counts.setdefault("unpaired_responses", 0)
    waiting: tuple[str, str, tuple[float, ...]] | None = None
    for where, row in rows:
        _refuse_no_object(row, where)
        prompt, response = _text(row, "prompt", where), _text(row, "response", where)
        ratings = _ratings(row, where, most=_MAX_RATING)
        if waiting and waiting[0] == prompt:
            yield _Pair(prompt, (waiting[1], response), (waiting[2], ratings), split)
            waiting = None
        else:
            counts["unpaired_responses"] += waiting is not None
            waiting = (prompt, response, ratings)
    counts["unpaired_responses"] += waiting is not None


def _steerable_pairs(path: Path, split: str) -> Iterator[_Pair]:
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        line = getattr(error, "lineno", 1)
        raise ChoiceDataError(f"{path}:{line}: file must be a JSON list: {error}") from error
    if not isinstance(rows, list):
        refuse(f"{path}:1", "file", "a JSON list", rows)
    for i, row in enumerate(rows):
        where = f"{path}:[{i}]"
        _refuse_no_object(row, where)
        for field in ("responses", "labels"):
            if not isinstance(row.get(field), list) or len(row[field]) != 2:
                refuse(where, field, "a list of two", row.get(field))
        first, second = (_text(dict(enumerate(row["responses"])), place, where) for place in range(2))
        ratings = [
            _ratings(label, f"{where}.labels[{place}]", most=1) for place, label in enumerate(row["labels"])
        ]
        # Back to whole ratings: sums of quarters may round to other ties.
        one, two = (tuple(round(_MAX_RATING * rating, 6) for rating in part) for part in ratings)
        yield _Pair(_text(row, "prompt", where), (first, second), (one, two), split)


def _refuse_no_object(row: Any, where: str) -> None:
    if not isinstance(row, Mapping):
        refuse(where, "row", "an object", row)


def _text(row: Mapping[Any, Any], field: str | int, where: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        refuse(where, f"responses[{field}]" if isinstance(field, int) else field, "a text", value)
    return value


def _ratings(row: Any, where: str, *, most: int) -> tuple[float, ...]:
    _refuse_no_object(row, where)
    for name in ATTRIBUTES:
        value = row.get(name)
        if not is_number(value) or not 0 <= value <= most:
            refuse(where, name, f"a number from 0 to {most}", value)
    return tuple(float(row[name]) for name in ATTRIBUTES)
