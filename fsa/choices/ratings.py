"""`Ratings`: choices from people's ratings of single responses: thumbs, stars, votes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fsa.choices.reading.mapped_rows import MappedRows, values_of
from fsa.choices.reading.record import parse_prompt, parse_response, refuse
from fsa.choices.reading.row_files import RowFile
from fsa.choices.stored_text import encode_text
from fsa.errors import ConfigError
from fsa.seeding import random_bits
from fsa.types import is_numbers

_WORDS = {
    **dict.fromkeys(("up", "thumbs_up", "like", "good", "yes", "agree", "true", "👍"), 1.0),
    **dict.fromkeys(("down", "thumbs_down", "dislike", "bad", "no", "disagree", "false", "👎"), -1.0),
    **dict.fromkeys(("pass", "neutral", "skip"), 0.0),
}
_FIELDS = frozenset({"user", "prompt", "response", "rating", "group", "split"})


class Ratings(MappedRows):
    """One rating a row, `user, prompt, response, rating`; two by one person of one prompt make a choice.

    A person's responses to a prompt are paired so that as many pairs as possible differ by `smallest_gap` or
    more; which of equally rated ones meet, and which stands first, is drawn from the seed. Counts say what
    gave no pair: `ratings_repeated` (a person rated a response twice; the last rating counts),
    `ratings_unpaired`, and `users_without_choices`.

    Args:
        path: As of `Rows`: files of any format, data sets on disk, on the hub, or in memory.
        columns: Which column each field is in, such as {user: annotator, rating: stars}. Without a column for
            the prompt, all responses answer one prompt, "".
        max_uses: Pairs that one rating may be part of, >= 1. More give more choices, that repeat each other.
        smallest_gap: Difference of ratings from which on one counts as preferred, > 0, as ratings are.
            Thumbs are 1 and -1, in words or as true and false.
        across_prompts: Pair what is left over across prompts too, as a choice between the responses alone,
            under the prompt "". This assumes that a person rates all prompts on one scale, and that a
            response shows without its prompt why it was liked: true of thumbs for a style, not for facts.
        seed: Another seed draws other pairs.
        reading: See `MappedRows`; there are no ties.

    Raises:
        ConfigError: `columns` maps what is no field, or a number is out of its range.
    """

    fields: ClassVar[frozenset[str]] = _FIELDS

    def __init__(
        self,
        path: str | list[str],
        *,
        columns: dict[str, str | None] | None = None,
        max_uses: int = 1,
        smallest_gap: float = 1.0,
        across_prompts: bool = False,
        seed: int = 0,
        **reading: Any,
    ) -> None:
        if max_uses < 1 or not 0 < smallest_gap < math.inf:
            raise ConfigError(
                f"max_uses must be >= 1 and smallest_gap > 0, came {max_uses} and {smallest_gap}"
            )
        super().__init__(path, columns=columns, ties="keep", **reading)
        self.max_uses, self.smallest_gap = max_uses, float(smallest_gap)
        self.across_prompts, self.seed = across_prompts, seed

    def _record(self, row: Mapping[str, Any], columns: Mapping[str, Any], file: RowFile) -> dict[str, Any]:
        return values_of(row, columns)

    def _records(self) -> Iterator[tuple[str, Any]]:
        """Pairs as records; ratings are read to the end before the first is given."""
        rated = self._rated()
        uses = np.zeros(len(rated), np.int64)
        pairs = self._pairs(rated, [(one.user, one.prompt, one.split) for one in rated], uses)
        records = [rated[better].over(rated[worse], rated[better].prompt) for better, worse in pairs]
        if self.across_prompts:
            records += self._across_prompts(rated, uses)
        self._counts["ratings_unpaired"] = int((uses == 0).sum())
        raters, chose = {one.user for one in rated}, {record["user"] for record in records}
        self._counts["users_without_choices"] = len(raters - chose)
        order = {user: number for number, user in enumerate(dict.fromkeys(one.user for one in rated))}
        records.sort(key=lambda record: order[record["user"]])
        is_second = random_bits(self.seed, 2**32, np.arange(len(records))) >> np.uint64(63)
        for number, record in enumerate(records):
            where = record.pop("where")
            if is_second[number]:
                record["options"].reverse()
            yield where, {**record, "chosen": int(is_second[number])}

    def _across_prompts(self, rated: list[_Rated], uses: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Records of pairs among what has no use yet, whatever the prompts; counts their uses."""
        left = np.flatnonzero(uses == 0)
        rest = [rated[i] for i in left]
        used = np.zeros(len(rest), np.int64)
        pairs = list(self._pairs(rest, [(one.user, one.split) for one in rest], used))
        uses[left] = used
        # One answer to two prompts is no choice.
        return [
            rest[better].over(rest[worse], "")
            for better, worse in pairs
            if rest[better].response != rest[worse].response
        ]

    def _rated(self) -> list[_Rated]:
        """Every rating that counts, in the order of the rows."""
        found: dict[tuple[str, ...], _Rated] = {}
        repeated = 0
        for where, raw in super()._records():
            try:
                one = _rated(raw, where)
            except ValueError as error:
                self._on_bad(error)  # type: ignore[arg-type]
                continue
            key = (one.user, encode_text(one.prompt), encode_text(one.response), one.split)
            repeated += key in found
            found[key] = one
        self._counts["ratings_repeated"] = repeated
        return list(found.values())

    def _pairs(
        self, rated: list[_Rated], units: list[Any], uses: NDArray[np.int64]
    ) -> Iterator[tuple[int, int]]:
        """Better and worse of each pair within a unit, as numbers in `rated`; counts their uses."""
        numbers: dict[str, int] = {}
        unit = np.array([numbers.setdefault(repr(one), len(numbers)) for one in units], np.int64)
        rating = np.array([one.rating for one in rated], np.float64)
        ends = np.cumsum(np.bincount(unit, minlength=len(numbers)))
        seen: set[tuple[int, int]] = set()
        for turn in range(self.max_uses):
            order = np.lexsort((random_bits(self.seed, turn, np.arange(len(rated))), rating, unit))
            for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
                for better, worse in _matched(order[start:end], rating, self.smallest_gap):
                    if (better, worse) not in seen:
                        seen.add((better, worse))
                        uses[[better, worse]] += 1
                        yield better, worse


@dataclass(frozen=True)
class _Rated:
    """One person's rating of one response."""

    where: str
    user: str
    prompt: Any
    response: Any
    rating: float
    group: str
    split: str

    def over(self, other: _Rated, prompt: Any) -> dict[str, Any]:
        """The record of a choice of this response over another; the chosen one is first."""
        options = [_plain(self.response), _plain(other.response)]
        about = {"where": self.where, "user": self.user, "group": self.group, "split": self.split}
        return {**about, "prompt": _plain(prompt), "options": options}


def _rated(raw: Any, where: str) -> _Rated:
    if not isinstance(raw, Mapping):
        refuse(where, "row", 'an object such as {"user": ..., "response": ..., "rating": ...}', raw)
    for field in ("user", "response", "rating"):
        if field not in raw:
            refuse(where, field, "given", None)
    for field in ("user", "group", "split"):
        if not isinstance(raw.get(field, ""), str):
            refuse(where, field, "a text", raw[field])
    response = parse_response(raw["response"], where, "response")
    if is_numbers(response):
        refuse(where, "response", "a text or a list of messages", raw["response"])
    return _Rated(
        where,
        raw["user"],
        parse_prompt(raw.get("prompt", ""), where),
        response,
        _number(raw["rating"], where),
        raw.get("group", ""),
        raw.get("split", ""),
    )


def _number(value: Any, where: str) -> float:
    """A rating from a number, true or false, or a word for a thumb."""
    if isinstance(value, bool):
        return 1.0 if value else -1.0
    number = _WORDS.get(value.strip().lower(), value) if isinstance(value, str) else value
    try:
        found = float(number)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        refuse(where, "rating", "a finite number, true or false, or a word such as up and down", value)
    return found


def _matched(
    ascending: NDArray[np.int64], rating: NDArray[np.float64], gap: float
) -> Iterator[tuple[int, int]]:
    """As many disjoint pairs as can differ by a gap: the lower half meets the upper."""
    values = rating[ascending].tolist()
    half, high = len(values) // 2, (len(values) + 1) // 2
    low = 0
    while low < half and high < len(values):
        if values[high] - values[low] >= gap:
            yield int(ascending[high]), int(ascending[low])
            low += 1
        high += 1


def _plain(value: Any) -> Any:
    """A text as it is, a chat as the list that a record has."""
    return list(value) if isinstance(value, tuple) else value
