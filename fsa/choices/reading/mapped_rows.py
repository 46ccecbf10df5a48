"""`MappedRows`: what sources that read rows of files and data sets by a mapping of columns have in common."""

from __future__ import annotations

import json
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from fsa.choices.reading.record import shown
from fsa.choices.reading.record_source import FileSource
from fsa.choices.reading.row_files import RowFile, open_rows
from fsa.errors import ChoiceDataError, ConfigError

_ARE_NAMES = ("user", "group", "split")  # fields in which a number is a name


class MappedRows(FileSource):
    """Rows in columns of our fields' names, or in those that `columns` names.

    Columns have one type, and records do not, so a row is read a little more freely than a line of JSONL: a
    null is a field left out, as is an empty cell of CSV; whole numbers are taken for names of users, groups
    and splits. Columns that are neither mapped nor a field are ignored, with a warning that names them. Rows
    of a named split of a data set say so in their `split`, unless a column does.

    Args:
        path: What `open_rows` opens.
        columns: Which column each field is in where it is not in one of its own name; {group: null} reads no
            group although there is such a column.
        name: Configuration of a data set on the hub.
        split: One split of a data set; None for all of them.
        revision: Branch, tag or commit of a data set on the hub. Name a commit to pin what you train on.
        reading: See `RecordSource`.

    Raises:
        ConfigError: `columns` maps what is no field, or a field to what is no name.
    """

    fields: ClassVar[frozenset[str]]
    """Fields that a row may have."""

    def __init__(
        self,
        path: Any,
        *,
        columns: Mapping[str, Any] | None = None,
        name: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(**reading)
        self.path, self.name, self.split, self.revision = path, name, split, revision
        self.columns: Mapping[str, Any] = columns or {}
        if unknown := set(self.columns) - self.fields:
            raise ConfigError(
                f"columns maps {', '.join(sorted(unknown))}; "
                f"the fields of a record are {', '.join(sorted(self.fields))}"
            )
        for field, mapped in self.columns.items():
            if not all(isinstance(column, str) for column in _each(mapped)):
                raise ConfigError(
                    f"columns: {field} must be mapped to the name of a column, came {mapped!r:.80}"
                )

    @abstractmethod
    def _record(self, row: Mapping[str, Any], columns: Mapping[str, Any], file: RowFile) -> dict[str, Any]:
        """A record from a row's values, given the column of each field.

        Raises:
            ValueError: A value is of no use; names the field.
        """

    def _open(self) -> list[RowFile]:
        files = open_rows(self.path, name=self.name, split=self.split, revision=self.revision)
        for file in files:
            self._check_columns(file)
        return files

    def _check_columns(self, file: RowFile) -> None:
        if file.columns is None:
            return
        for field, mapped in self.columns.items():
            for column in _each(mapped):
                if column not in file.columns:
                    has = ", ".join(sorted(file.columns))
                    raise ChoiceDataError(
                        f"{file.where}: {field} is mapped to {column!r}, but the columns are {has}"
                    )
        used = {column for mapped in self._columns_in(file).values() for column in _each(mapped)}
        if ignored := file.columns - used:
            warnings.warn(f"{file.where}: ignored columns: {', '.join(sorted(ignored))}", stacklevel=3)

    def _columns_in(self, file: RowFile) -> dict[str, Any]:
        """Column, or columns, of each field that has one."""
        named = {field: self.columns.get(field, field) for field in sorted(self.fields)}
        return {
            field: mapped
            for field, mapped in named.items()
            if mapped is not None and (file.columns is None or set(_each(mapped)) <= file.columns)
        }

    def _records(self) -> Iterator[tuple[str, Any]]:
        for file in self._files:
            columns = self._columns_in(file)
            wanted = tuple(dict.fromkeys(column for mapped in columns.values() for column in _each(mapped)))
            for where, row in file.read(wanted, self._on_bad):
                if not isinstance(row, Mapping):
                    yield where, row
                    continue
                if file.columns is None:
                    self._ignored |= row.keys() - wanted
                try:
                    record = self._record(row, columns, file)
                except ValueError as error:
                    self._on_bad(ChoiceDataError(f"{where}: {error}"))
                    continue
                for name in _ARE_NAMES:
                    if type(record.get(name)) is int:
                        record[name] = str(record[name])
                yield where, {"split": file.split, **record} if file.split else record


def values_of(row: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Value of each field of one column that has one in this row."""
    return {
        field: value
        for field, column in columns.items()
        if isinstance(column, str) and (value := row.get(column)) is not None
    }


def read_list(value: Any, field: str) -> Any:
    """A list from a cell of text that holds one as JSON; any other value as it is.

    Raises:
        ValueError: The text begins as a list and is none.
    """
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError(f"{field} must be a list in JSON, came {shown(value)}") from None


def _each(mapped: Any) -> list[str]:
    return [] if mapped is None else list(mapped) if isinstance(mapped, list | tuple) else [mapped]
