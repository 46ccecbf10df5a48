"""`RecordSource`: what sources that read one record a choice have in common."""

from __future__ import annotations

import gc
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from fsa.choices.reading.plain import FIELDS, usual_pick, usual_picks
from fsa.choices.reading.record import parse_record
from fsa.choices.reading.table_cache import keep, table_key
from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable
from fsa.choices.table_builder import TableBuilder
from fsa.errors import ChoiceDataError
from fsa.types import Tie, is_numbers

if TYPE_CHECKING:
    from fsa.choices.reading.row_files import RowFile  # which needs `datasets`, that takes a second

RULES = "records.1"
"""Part of every key of kept records; count up when a record comes to mean something else."""

_LISTED = 20
_PLACES = frozenset({"path", "revision", "cache"})  # where records are, and not what they mean
_TEXT = "text"  # what options are, where they are not numbers


class BadRecords:
    """Stops at the first bad record, or counts and lists those that are skipped.

    Args:
        skip: Whether to go on after a bad record.
    """

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.count = 0
        self.listed: list[str] = []

    def __call__(self, error: ChoiceDataError) -> None:
        """Take note of one, or raise it."""
        if not self.skip:
            raise error
        self.count += 1
        if len(self.listed) < _LISTED:
            self.listed.append(str(error))

    def warn(self, stacklevel: int) -> None:
        """Say how many there were and list the first of them, if there were any."""
        if self.count:
            shown = "\n  ".join(self.listed)
            more = f"\n  and {self.count - _LISTED} more" if self.count > _LISTED else ""
            warnings.warn(f"left out {self.count} bad records:\n  {shown}{more}", stacklevel=stacklevel)


class RecordSource(Source):
    """Validates records one by one, counts what it leaves out, and keeps the parsed table.

    A subclass says where records come from. What it drops on the way goes into `self._counts`, and what it
    cannot read at all to `self._on_bad`.

    Args:
        on_bad_record: "stop" raises at the first bad record; "skip" leaves bad records out, counts them as
            `bad_records`, lists the first of them in `self.bad_records`, and warns once.
        ties: "keep", or "drop" records that tie and count them as `ties_dropped`.
        cache: Whether to keep the parsed table under `cache_dir()`.
    """

    def __init__(
        self,
        *,
        on_bad_record: Literal["stop", "skip"] = "stop",
        ties: Literal["keep", "drop"] = "keep",
        cache: bool = True,
    ) -> None:
        self.skip_bad = on_bad_record == "skip"
        self.drop_ties = ties == "drop"
        self.cache = cache
        self._on_bad = BadRecords(self.skip_bad)
        self._counts: dict[str, int] = {}

    @property
    def bad_records(self) -> list[str]:
        """The first bad records that the last load skipped."""
        return self._on_bad.listed

    @abstractmethod
    def _records(self) -> Iterator[tuple[str, Any]]:
        """Each record with its place, to begin an error with."""

    def _blocks(self) -> Iterator[Iterable[tuple[str, Any]]]:
        """All records, some at a time."""
        yield self._records()

    @abstractmethod
    def _key(self) -> str | None:
        """What the table is kept under, see `table_key`; None to keep nothing."""

    @abstractmethod
    def _whole(self) -> str:
        """What the records are of, for an error about all of them."""

    def load(self) -> ChoiceTable:
        """All choices, in their order within each user.

        Raises:
            ChoiceDataError: A bad record, or a file that cannot be read or holds no record; names file, line,
                field, what is allowed and what came.
        """
        return keep(self._key(), self._parse) if self.cache else self._parse()

    def _parse(self) -> ChoiceTable:
        self._on_bad = BadRecords(self.skip_bad)
        self._counts = {"ties_dropped": 0} if self.drop_ties else {}
        self._ignored: set[str] = set()
        with _no_garbage_collection():
            builder = TableBuilder()
            self._fill(builder)
            if self.skip_bad:
                self._counts["bad_records"] = self._on_bad.count
            table = ChoiceTable.from_columns(**builder.columns(), counts=self._counts)
        self._on_bad.warn(stacklevel=5)
        if self._ignored:
            warnings.warn(
                f"{self._whole()}: ignored fields: {', '.join(sorted(self._ignored))}", stacklevel=5
            )
        if not len(table.users):
            self._refuse_nothing()
        return table

    def _fill(self, builder: TableBuilder) -> None:
        kind = kind_from = ""
        plain: set[str] = set()
        for block in self._blocks():
            if kind in ("", _TEXT) and isinstance(block, list) and (picks := usual_picks(block, plain)):
                kind, kind_from = _TEXT, kind_from or block[0][0]
                builder.add_picks(picks)
                self._ignored.update(*(raw.keys() - FIELDS for _, raw in block if "rejected" in raw))
                continue
            for where, raw in block:
                if kind in ("", _TEXT) and (pick := usual_pick(raw, plain)):
                    kind, kind_from = _TEXT, kind_from or where
                    builder.add_picks([pick])
                else:
                    try:
                        choice = parse_record(raw, where)
                        first = choice.options[0]
                        here = f"lists of {len(first)} numbers" if is_numbers(first) else _TEXT
                        if here != kind:
                            if kind:
                                raise ChoiceDataError(
                                    f"{where}: options must be {kind}, as at {kind_from}, came {here}"
                                )
                            kind, kind_from = here, where
                    except ChoiceDataError as error:
                        self._on_bad(error)
                        continue
                    if self.drop_ties and isinstance(choice.outcome, Tie):
                        self._counts["ties_dropped"] += 1
                        continue
                    builder.add(choice)
                if "rejected" in raw:  # where other fields are let through
                    self._ignored.update(map(str, raw.keys() - FIELDS))

    def _refuse_nothing(self) -> None:
        what = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self._counts.items() if count)
        first = f"; the first: {self.bad_records[0]}" if self.bad_records else ""
        raise ChoiceDataError(
            f"{self._whole()}:1: must hold at least one record, came none ({what or 'empty'}){first}"
        )


class FileSource(RecordSource):
    """A source whose records are in files and data sets, see `open_rows`; they are opened when it is loaded.

    A subclass says in `_open` which these are. What it keeps in attributes without a leading underscore
    decides, with the files, what the records come to mean.

    Args:
        on_bad_record, ties, cache: See `RecordSource`.
    """

    def __init__(self, **reading: Any) -> None:
        super().__init__(**reading)
        self._files: list[RowFile] = []

    @abstractmethod
    def _open(self) -> list[RowFile]:
        """The files, their columns checked."""

    def load(self) -> ChoiceTable:
        """All choices, in their order within each user.

        Raises:
            ChoiceDataError: A bad row, or a file that cannot be read or holds no row; names file, row, field,
                what is allowed and what came.
            ConfigError: What belongs to data sets is given for files.
        """
        self._files = self._open()
        return super().load()

    def _key(self) -> str | None:
        if not all(file.paths for file in self._files):
            return None  # in memory alone
        meant = {k: repr(v) for k, v in vars(self).items() if not k.startswith("_") and k not in _PLACES}
        places = [(file.split, len(file.paths)) for file in self._files]
        settings = [type(self).__name__, "files.1", RULES, meant, places]
        return table_key(settings, [path for file in self._files for path in file.paths])

    def _whole(self) -> str:
        return ", ".join(file.where for file in self._files)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Records make no cycles, and looking for some takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
