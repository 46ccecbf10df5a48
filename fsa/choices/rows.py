"""`Rows`: choices from Parquet files, and from `datasets` on disk and on the hub, by a mapping of columns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from fsa.choices.reading.record import FIELDS
from fsa.choices.reading.record_source import RULES, RecordSource
from fsa.choices.reading.row_files import RowFile, open_rows
from fsa.choices.reading.table_cache import key_of
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError

_NAMES = ("user", "group", "split")  # fields in which a number is a name


class Rows(RecordSource):
    """One record a row, in the columns of `parse_record`'s fields or in those that `columns` names.

    Columns have one type, and records do not, so a row is read a little more freely than a line of JSONL: a
    null is a field left out; whole numbers are taken for names of users, groups and splits; and where
    `chosen` is a column of text, "0" is option 0. Columns that are neither mapped nor fields of a record are
    ignored, with a warning that names them. Rows of a named split of a data set say so in their `split`,
    unless a column does.

    Args:
        path: A Parquet file, a pattern with * that names some, a folder of some or one written by
            `Dataset.save_to_disk`, `owner/name` of a data set on the hub, or a list of these. JSONL files are
            read as well, for the sake of the mapping.
        columns: Which column each of our fields is in, such as {user: annotator_id, rejected: worse}, where
            it is not in one of its own name; {group: null} reads no group although there is such a column.
        name: Configuration of a data set on the hub.
        split: One split of a data set; None for all of them.
        revision: Branch, tag or commit of a data set on the hub. Name a commit to pin what you train on.
        on_bad_record: "stop" raises at the first bad row; "skip" leaves bad rows out, counts them as
            `bad_records`, lists the first of them in `self.bad_records`, and warns once.
        ties: "keep", or "drop" rows that tie and count them as `ties_dropped`.
        cache: Whether to keep the parsed table.

    Raises:
        ConfigError: `columns` maps what is no field of a record.
    """

    def __init__(
        self,
        path: str | list[str],
        *,
        columns: dict[str, str | None] | None = None,
        name: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        on_bad_record: Literal["stop", "skip"] = "stop",
        ties: Literal["keep", "drop"] = "keep",
        cache: bool = True,
    ) -> None:
        super().__init__(on_bad_record=on_bad_record, ties=ties, cache=cache)
        self.path, self.name, self.split, self.revision = path, name, split, revision
        self.columns: Mapping[str, str | None] = columns or {}
        if unknown := set(self.columns) - FIELDS:
            raise ConfigError(
                f"columns maps {', '.join(sorted(unknown))}; "
                f"the fields of a record are {', '.join(sorted(FIELDS))}"
            )

        self._files: list[RowFile] = []

    def load(self) -> ChoiceTable:
        """All choices, in their order within each user.

        Raises:
            ChoiceDataError: A bad row, or a file that cannot be read, lacks a mapped column or holds no row;
                names file, row, field, what is allowed and what came.
            ConfigError: name, split or revision are given for what has none.
        """
        self._files = open_rows(self.path, name=self.name, split=self.split, revision=self.revision)
        for file in self._files:
            self._check_columns(file)
        return super().load()

    def _check_columns(self, file: RowFile) -> None:
        if file.columns is None:
            return
        for field, column in self.columns.items():
            if column is not None and column not in file.columns:
                has = ", ".join(sorted(file.columns))
                raise ChoiceDataError(
                    f"{file.where}: {field} is mapped to {column!r}, but the columns are {has}"
                )
        ignored = file.columns - set(self._fields_in(file.columns).values())
        if ignored:
            warnings.warn(f"{file.where}: ignored columns: {', '.join(sorted(ignored))}", stacklevel=3)

    def _fields_in(self, columns: frozenset[str] | None) -> dict[str, str]:
        """Column of each field that has one."""
        named = {field: self.columns.get(field, field) for field in sorted(FIELDS)}
        return {
            field: column
            for field, column in named.items()
            if column is not None and (columns is None or column in columns)
        }

    def _records(self) -> Iterator[tuple[str, Any]]:
        for file in self._files:
            fields = self._fields_in(file.columns)
            for where, row in file.read(tuple(dict.fromkeys(fields.values())), self._on_bad):
                yield where, self._record(row, fields, file) if isinstance(row, Mapping) else row

    def _record(self, row: Mapping[str, Any], fields: Mapping[str, str], file: RowFile) -> dict[str, Any]:
        record = {field: row[column] for field, column in fields.items() if row.get(column) is not None}
        for name in _NAMES:
            if type(record.get(name)) is int:
                record[name] = str(record[name])
        chosen = record.get("chosen")
        if "rejected" not in record and isinstance(chosen, str) and fields["chosen"] in file.text_columns:
            record["chosen"] = int(chosen) if chosen.isascii() and chosen.isdigit() else chosen
        return {"split": file.split, **record} if file.split else record

    def _key(self) -> str | None:
        paths = [path for file in self._files for path in file.paths]
        if not all(file.paths for file in self._files):
            return None  # in memory alone
        places = [(file.split, len(file.paths)) for file in self._files]
        return key_of(["rows.1", RULES, self.skip_bad, self.drop_ties, dict(self.columns), places], paths)

    def _whole(self) -> str:
        return ", ".join(file.where for file in self._files)
