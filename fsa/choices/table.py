"""`ChoiceTable`: many people's choices as columns, in one memory-mapped Arrow file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fsa.choices.numbering import number_within
from fsa.choices.stored_text import CHAT_MARK, decode_chat
from fsa.choices.table_builder import TableBuilder
from fsa.errors import ChoiceDataError
from fsa.files import replacing
from fsa.outcomes import outcomes_of
from fsa.seeding import random_bits
from fsa.types import Choice, Numbers, Text

LAYOUT = "fsa.choices.1"


@dataclass(frozen=True)
class ChoiceTable:
    """Choices sorted by user, as columns; every text is stored once.

    An *item* is one response to one prompt: what a feature is computed for. A choice refers to its options
    as items, so a response judged by a thousand people is one item.

    Attributes:
        users: Name of each user [u].
        user_offsets: Choices of user i are rows `user_offsets[i]` to `user_offsets[i + 1]` [u + 1].
        prompt: Text number of each choice's prompt [n].
        option_offsets: Options of choice i are `option_offsets[i]` to `option_offsets[i + 1]` [n + 1].
        option: Item number of each option [o].
        place: Place of each option, 0 = best; see `Outcome.places` [o].
        group: Group number of each choice [n].
        groups: Name of each group; "" is a group too.
        split: Split number of each choice, as the record says [n].
        splits: Name of each split; "" where the record says nothing.
        item_prompt: Text number of each item's prompt [m].
        item_response: Text number of each item's response; -1 where options are numbers [m].
        numbers: Features of each item where options are numbers, else of width 0 [m, d].
        texts: Every text, once. Use `text(i)`: a chat is stored as JSON.
        counts: What the source dropped or changed on the way, by name.
    """

    users: pa.Array
    user_offsets: NDArray[np.int64]
    prompt: NDArray[np.int32]
    option_offsets: NDArray[np.int64]
    option: NDArray[np.int32]
    place: NDArray[np.int16]
    group: NDArray[np.int32]
    groups: pa.Array
    split: NDArray[np.int32]
    splits: pa.Array
    item_prompt: NDArray[np.int32]
    item_response: NDArray[np.int32]
    numbers: NDArray[np.float64]
    texts: pa.Array
    counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.prompt)

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.item_prompt)

    @property
    def is_numeric(self) -> bool:
        """Whether options are numbers rather than text."""
        return self.numbers.shape[1] > 0

    @cached_property
    def user(self) -> NDArray[np.int32]:
        """User number of each choice [n]."""
        return np.repeat(np.arange(self.num_users, dtype=np.int32), np.diff(self.user_offsets))

    @cached_property
    def num_options(self) -> NDArray[np.int64]:
        """Number of options of each choice [n]."""
        return np.diff(self.option_offsets)

    @cached_property
    def offers_equally_many(self) -> bool:
        """Whether all choices have the same number of options."""
        return bool((self.num_options == self.num_options[:1]).all())

    @cached_property
    def outcome_kinds(self) -> frozenset[str]:
        """Which of "pick", "tie", "ranking" occur."""
        if not len(self):
            return frozenset()
        tie = np.add.reduceat((self.place == 0).astype(np.int64), self.option_offsets[:-1]) > 1
        ranking = np.maximum.reduceat(self.place, self.option_offsets[:-1]) > 1
        found = {"tie": tie.any(), "ranking": (~tie & ranking).any(), "pick": (~tie & ~ranking).any()}
        return frozenset(name for name, occurs in found.items() if occurs)

    @cached_property
    def prompt_in_user(self) -> NDArray[np.int32]:
        """Each choice's prompt, numbered from 0 within its user [n]."""
        return number_within(self.user, self.prompt)

    @cached_property
    def response_in_user(self) -> NDArray[np.int32]:
        """Each option's response, numbered from 0 within its user [o]; equal responses share a number."""
        response = self.option if self.is_numeric else self.item_response[self.option]
        return number_within(np.repeat(self.user, self.num_options), response)

    def text(self, number: int) -> Text:
        """A prompt or response by its number; chats come back as messages."""
        stored: str = self.texts[number].as_py()
        return decode_chat(stored) if stored.startswith(CHAT_MARK) else stored

    def response(self, item: int) -> Text | Numbers:
        """The response of an item."""
        if self.is_numeric:
            return tuple(float(value) for value in self.numbers[item])
        return self.text(int(self.item_response[item]))

    def choice(self, row: int) -> Choice:
        """One choice as an object, for people and small batches; models read the columns."""
        return self._choices([row])[0]

    def choices_of(self, user: str) -> list[Choice]:
        """One user's choices as objects; none of a user who is not here."""
        return self._choices(self.rows_of(user))

    def _choices(self, rows: Sequence[int]) -> list[Choice]:
        spans = [slice(*self.option_offsets[row : row + 2]) for row in rows]
        outcomes = outcomes_of([tuple(self.place[span].tolist()) for span in spans])
        return [
            Choice(
                user=self.users[int(self.user[row])].as_py(),
                prompt=self.text(int(self.prompt[row])),
                options=tuple(self.response(int(item)) for item in self.option[span]),  # type: ignore[arg-type]
                outcome=outcome,
                group=self.groups[int(self.group[row])].as_py(),
                split=self.splits[int(self.split[row])].as_py(),
            )
            for row, span, outcome in zip(rows, spans, outcomes, strict=True)
        ]

    def rows_of(self, user: str) -> range:
        """Rows of one user's choices; empty for a user who is not here."""
        found = self.users.index(user).as_py()
        return range(0) if found < 0 else range(*self.user_offsets[found : found + 2])

    def select(self, rows: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> ChoiceTable:
        """Some of the choices; items and texts keep their numbers, users without a choice go."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else np.sort(rows)
        counts = np.bincount(self.user[rows], minlength=self.num_users)
        kept = np.flatnonzero(counts)
        users = self.users.take(pa.array(kept))
        return replace(self, users=users, user_offsets=_offsets(counts[kept]), **self.columns_at(rows))

    def columns_at(self, rows: NDArray[Any]) -> dict[str, Any]:
        """The columns of choices and options, of some rows: in any order, and any of them more than once."""
        sizes = self.num_options[rows]
        offsets = _offsets(sizes)
        options = np.repeat(self.option_offsets[rows] - offsets[:-1], sizes) + np.arange(offsets[-1])
        found = {name: getattr(self, name)[rows] for name in ("prompt", "group", "split")}
        found |= {name: getattr(self, name)[options] for name in ("option", "place")}
        return found | {"option_offsets": offsets}

    def shuffled(self, seed: int = 0) -> ChoiceTable:
        """The same choices, the outcome of each dealt out anew among its options: nothing to learn."""
        choice = np.repeat(np.arange(len(self)), self.num_options)
        order = np.lexsort((random_bits(seed, np.arange(len(self.option))), choice))
        return replace(self, place=self.place[order])

    def with_counts(self, counts: Mapping[str, int]) -> ChoiceTable:
        """The same choices with other `counts`."""
        return replace(self, counts=counts)

    @cached_property
    def items_used(self) -> NDArray[np.int64]:
        """Numbers of the items that some choice offers, ascending."""
        return np.flatnonzero(np.bincount(self.option, minlength=self.num_items))

    @classmethod
    def from_choices(cls, choices: Iterable[Choice], counts: Mapping[str, int] | None = None) -> ChoiceTable:
        """Build from objects, interning texts as they come.

        Users keep the order of their first choice, choices their order within a user.

        Raises:
            ChoiceDataError: Text and number options are mixed, or number options differ in length.
        """
        builder = TableBuilder()
        for choice in choices:
            builder.add(choice)
        return cls.from_columns(**builder.columns(), counts=counts)

    @classmethod
    def from_columns(
        cls,
        *,
        users: list[str] | pa.Array,
        user: NDArray[np.int32],
        prompt: NDArray[np.int32],
        num_options: NDArray[np.int64],
        option: NDArray[np.int32],
        place: NDArray[np.int16],
        texts: list[str] | pa.Array,
        item_prompt: NDArray[np.int32],
        item_response: NDArray[np.int32] | None = None,
        numbers: NDArray[np.float64] | None = None,
        group: NDArray[np.int32] | None = None,
        groups: list[str] | None = None,
        split: NDArray[np.int32] | None = None,
        splits: list[str] | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> ChoiceTable:
        """Build from columns in any order of choices; they are sorted by user, stably.

        Columns are named as the attributes are; users without a choice go.
        """
        counted = np.bincount(user, minlength=len(users))
        kept = np.flatnonzero(counted)
        nothing, num_items = np.zeros(len(user), np.int32), len(item_prompt)
        unsorted = cls(
            users=_strings(users).take(pa.array(kept)),
            user_offsets=_offsets(counted[kept]),
            prompt=prompt,
            option_offsets=_offsets(num_options),
            option=option,
            place=place,
            group=nothing if group is None else group,
            groups=_strings(groups or [""]),
            split=nothing if split is None else split,
            splits=_strings(splits or [""]),
            item_prompt=item_prompt,
            item_response=np.full(num_items, -1, np.int32) if item_response is None else item_response,
            numbers=np.zeros((num_items, 0)) if numbers is None else numbers,
            texts=_strings(texts),
            counts=counts or {},
        )
        return replace(unsorted, **unsorted.columns_at(np.argsort(user, kind="stable")))

    def save(self, path: str | Path) -> None:
        """Write one Arrow file; a crash leaves no half a file under this name."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {name: getattr(self, name) for name in _COLUMNS}
        columns = {
            name: each if isinstance(each, pa.Array) else pa.array(np.ascontiguousarray(each).reshape(-1))
            for name, each in plain.items()
        }
        # One row whose cells are whole columns: an Arrow file wants columns of one length.
        cells = {
            name: pa.LargeListArray.from_arrays(pa.array([0, len(column)], pa.int64()), column)
            for name, column in columns.items()
        }
        about = {
            "layout": LAYOUT,
            "width": str(self.numbers.shape[1]),
            "counts": json.dumps(dict(self.counts)),
        }
        row = pa.record_batch(list(cells.values()), names=list(cells)).replace_schema_metadata(about)
        with (
            replacing(path) as unfinished,
            pa.OSFile(str(unfinished), "wb") as sink,
            pa.ipc.new_file(sink, row.schema) as writer,
        ):
            writer.write_batch(row)

    @classmethod
    def open(cls, path: str | Path) -> ChoiceTable:
        """Memory-map a saved table: columns are views of the file, read when touched.

        Raises:
            ChoiceDataError: The file is not a saved table, or of another layout.
        """
        try:
            row = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        except (pa.ArrowInvalid, IndexError, OSError) as error:
            raise ChoiceDataError(f"{path}: not an fsa choice table: {error}") from error
        about = {key.decode(): value.decode() for key, value in (row.schema.metadata or {}).items()}
        if about.get("layout") != LAYOUT:
            raise ChoiceDataError(f"{path}: layout is {about.get('layout')!r}, this fsa reads {LAYOUT!r}")
        columns: dict[str, Any] = {name: row.column(name).values for name in _COLUMNS}
        for name in _COLUMNS:
            if name not in _TEXT_COLUMNS:
                columns[name] = columns[name].to_numpy(zero_copy_only=True)
        columns["numbers"] = columns["numbers"].reshape(len(columns["item_prompt"]), int(about["width"]))
        return cls(**columns, counts=json.loads(about["counts"]))


_TEXT_COLUMNS = frozenset({"users", "groups", "splits", "texts"})
_COLUMNS = (
    "users", "user_offsets", "prompt", "option_offsets", "option", "place", "group", "groups", "split",
    "splits", "item_prompt", "item_response", "numbers", "texts",
)  # fmt: skip


def _offsets(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _strings(values: list[str] | pa.Array) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, pa.large_string())
