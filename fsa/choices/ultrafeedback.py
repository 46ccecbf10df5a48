"""`UltraFeedback`: people who care about one aspect each of responses that a model rated on four."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from fsa.choices.reading.record import refuse
from fsa.choices.reading.record_source import BadRecords, FileSource
from fsa.choices.reading.row_files import RowFile, open_rows
from fsa.choices.simulation.clone_users import crowd
from fsa.choices.simulation.simulate import all_pairs, number_pairs, simulate, smallest
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.seeding import random_bits, stable_hash

ASPECTS = ("helpfulness", "honesty", "truthfulness", "instruction_following")
HH = ("helpfulness", "honesty")
HHT = ("helpfulness", "honesty", "truthfulness")
_COLUMNS = ("instruction", "completions")
_UNRATED = (None, "N/A", "")
_SAMPLE, _THIN = range(2)  # what a random number is for


class UltraFeedback(FileSource):
    """Users of one type each compare the responses to a prompt by one aspect's rating, 1 to 5.

    Two types are the paper's arrangement HH (helpfulness and honesty), three are HHT (truthfulness beside
    them). Of upstream rows it reads `instruction`, and of each of `completions` the `response` and
    `annotations.ASPECT.Rating` of the aspects that some type cares about. Group = type. Upstream has one
    split, so split by prompt, or by user where types have many users.

    In `counts`: `unrated_responses` (left out, because an aspect in question is "N/A" or missing),
    `blank_responses`, `identical_responses` (to one prompt; the first stays), `pairs_all_tie` (left out where
    ties are dropped: no type has a preference), `pairs_thinned` (left out for the share of conflicts),
    `pairs` and `pairs_in_conflict` (compared, and of those the ones on which two types choose differently),
    and `ties_dropped` over all types.

    Args:
        path: A data set on the hub, or JSONL or Parquet files of the same columns: a file, a folder or a
            pattern with *.
        users: The types: some of helpfulness, honesty, truthfulness, instruction_following; two or more to
            speak of conflict; None for helpfulness and honesty.
        conflicts: "all" pairs; "only" those on which two types choose differently; or the share, 0 to 1, that
            such pairs make up, reached by leaving out some of whichever are too many.
        pairs_per_prompt: Sample this many of a prompt's pairs, the same for all users, >= 1; None takes all.
        users_per_type: People of each type, >= 1.
        prompts_per_user: Prompts that each of them sees, >= 1, drawn per person; None for all.
        ties: "drop" or "keep" pairs between which a type is indifferent.
        revision: Branch, tag or commit on the hub.
        seed: Of pairs, people and the order of two responses.
        reading: See `RecordSource`.

    Raises:
        ConfigError: A type is no aspect, or a number is out of its range.

    Reference:
        [Cui2023] UltraFeedback: boosting language models with high-quality feedback.
    """

    def __init__(
        self,
        path: str | list[str] = "openbmb/UltraFeedback",
        *,
        users: list[str] | None = None,
        conflicts: Literal["all", "only"] | float = "all",
        pairs_per_prompt: int | None = None,
        users_per_type: int = 1,
        prompts_per_user: int | None = None,
        ties: Literal["keep", "drop"] = "drop",
        revision: str | None = None,
        seed: int = 0,
        **reading: Any,
    ) -> None:
        super().__init__(ties="keep", **reading)
        self.path, self.revision = path, revision
        self.users = HH if users is None else tuple(users)
        if not self.users or set(self.users) - set(ASPECTS) or len(set(self.users)) < len(self.users):
            raise ConfigError(f"users must be some of {', '.join(ASPECTS)}, came {list(self.users)}")
        if not isinstance(conflicts, str) and not 0 <= conflicts <= 1:
            raise ConfigError(f'conflicts must be "all", "only" or a share from 0 to 1, came {conflicts}')
        if pairs_per_prompt is not None and pairs_per_prompt < 1:
            raise ConfigError(f"pairs_per_prompt must be >= 1, came {pairs_per_prompt}")
        self.conflicts, self.pairs_per_prompt = conflicts, pairs_per_prompt
        self.users_per_type, self.prompts_per_user = users_per_type, prompts_per_user
        self.ties: Literal["keep", "drop"] = ties
        self.seed = seed

    def _open(self) -> list[RowFile]:
        return open_rows(self.path, revision=self.revision)

    def _records(self) -> Iterator[tuple[str, Any]]:
        for file in self._files:
            yield from file.read(_COLUMNS, self._on_bad)

    def _parse(self) -> ChoiceTable:
        self._on_bad = BadRecords(self.skip_bad)
        counts: dict[str, int] = {}
        rated = self._rated(counts)
        prompts = list(rated)
        responses = [response for each in rated.values() for response in each]
        ratings = np.array([rating for each in rated.values() for rating in each.values()], np.float64)
        ratings = ratings.reshape(len(responses), len(self.users))
        item_prompt = np.repeat(np.arange(len(prompts)), [len(each) for each in rated.values()])
        pairs = self._pairs(ratings, item_prompt, prompts, counts)
        if not len(pairs):
            raise ChoiceDataError(
                f"{self.path}: must leave at least one pair to compare, came none ({counts})"
            )
        table = simulate(
            ratings,
            {name: {name: 1.0} for name in self.users},
            attributes=self.users,
            prompts=prompts,
            responses=responses,
            item_prompt=item_prompt,
            pairs=pairs,
            ties=self.ties,
            seed=self.seed,
        )
        table = table.with_counts(counts | dict(table.counts))
        return crowd(table, self.users_per_type, self.prompts_per_user, seed=self.seed)

    def _rated(self, counts: dict[str, int]) -> dict[str, dict[str, tuple[float, ...]]]:
        """Ratings by prompt and response, one for each type."""
        counts |= dict.fromkeys(("unrated_responses", "blank_responses", "identical_responses"), 0)
        rated: dict[str, dict[str, tuple[float, ...]]] = {}
        for where, row in self._records():
            try:
                completions = list(_completions(row, where, self.users))
            except ChoiceDataError as error:
                self._on_bad(error)
                continue
            answers = rated.setdefault(row["instruction"], {})
            for response, ratings in completions:
                if reason := _why_not(response, ratings, answers):
                    counts[reason] += 1
                else:
                    answers[response] = ratings  # type: ignore[assignment]
        if self.skip_bad:
            counts["bad_records"] = self._on_bad.count
        self._on_bad.warn(stacklevel=7)
        return rated

    def _pairs(
        self,
        ratings: Float[np.ndarray, "m a"],
        item_prompt: Int[np.ndarray, " m"],
        prompts: list[str],
        counts: dict[str, int],
    ) -> Int[np.ndarray, "n 2"]:
        """Pairs of responses that the types compare."""
        pairs = all_pairs(item_prompt)
        pairs, prompt, number = number_pairs(pairs, item_prompt[pairs[:, 0]])
        hashes = np.array([stable_hash(text) for text in prompts], np.uint64)
        gain = np.sign(ratings[pairs[:, 0]] - ratings[pairs[:, 1]])  # [n, a]
        is_conflict = (gain.max(-1, initial=-1) > 0) & (gain.min(-1, initial=1) < 0)
        allowed = is_conflict if self.conflicts == "only" else np.ones(len(pairs), bool)
        if self.ties == "drop":
            counts["pairs_all_tie"] = int((gain == 0).all(-1).sum())
            allowed = allowed & (gain != 0).any(-1)
        kept = np.flatnonzero(allowed)
        if self.pairs_per_prompt is not None:
            key = random_bits(self.seed, _SAMPLE, hashes[prompt[kept]], number[kept])
            kept = kept[smallest(key, prompt[kept], self.pairs_per_prompt)]
        if not isinstance(self.conflicts, str):
            key = random_bits(self.seed, _THIN, hashes[prompt[kept]], number[kept])
            sampled = len(kept)
            kept = kept[_thinned(is_conflict[kept], key, self.conflicts)]
            counts["pairs_thinned"] = sampled - len(kept)
        counts |= {"pairs": len(kept), "pairs_in_conflict": int(is_conflict[kept].sum())}
        return pairs[kept]


def _thinned(is_conflict: Bool[np.ndarray, " n"], key: np.ndarray, share: float) -> Int[np.ndarray, " kept"]:
    """Where to keep pairs, as many as can be, so that conflicts are a share of them; ascending."""
    conflicts, others = int(is_conflict.sum()), int((~is_conflict).sum())
    if conflicts * (1 - share) > others * share:
        conflicts = round(others * share / (1 - share))
    else:
        others = round(conflicts * (1 - share) / share) if share else others
    kept = [
        places[np.argsort(key[places], kind="stable")[:limit]]
        for places, limit in (
            (np.flatnonzero(is_conflict), conflicts),
            (np.flatnonzero(~is_conflict), others),
        )
    ]
    return np.sort(np.concatenate(kept))


def _completions(
    row: Any, where: str, aspects: Sequence[str]
) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    if not isinstance(row, Mapping):
        refuse(where, "row", "an object", row)
    if not isinstance(row.get("instruction"), str):
        refuse(where, "instruction", "a text", row.get("instruction"))
    if not isinstance(row.get("completions"), list):
        refuse(where, "completions", "a list", row.get("completions"))
    for i, completion in enumerate(row["completions"]):
        field = f"completions[{i}]"
        if not isinstance(completion, Mapping) or not isinstance(completion.get("response"), str):
            refuse(where, field, "an object with a response", completion)
        annotations = completion.get("annotations") or {}
        yield (
            completion["response"],
            tuple(_rating(annotations, aspect, where, f"{field}.annotations") for aspect in aspects),
        )


def _rating(annotations: Any, aspect: str, where: str, field: str) -> float | None:
    if not isinstance(annotations, Mapping):
        refuse(where, field, "an object", annotations)
    said = annotations.get(aspect)
    value = said.get("Rating") if isinstance(said, Mapping) else said
    if value in _UNRATED:
        return None
    try:
        rating = float(value)
    except (TypeError, ValueError):
        rating = float("nan")
    if isinstance(value, bool) or not 1 <= rating <= 5:
        refuse(where, f"{field}.{aspect}.Rating", 'a rating from 1 to 5 or "N/A"', value)
    return rating


def _why_not(
    response: str, ratings: tuple[float | None, ...], answers: Mapping[str, tuple[float, ...]]
) -> str | None:
    if not response.strip():
        return "blank_responses"
    if response in answers:
        return "identical_responses"
    return "unrated_responses" if None in ratings else None
