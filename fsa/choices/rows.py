"""`Rows`: choices from files and data sets of any format, by a mapping of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fsa.choices.reading.mapped_rows import MappedRows, read_list, values_of
from fsa.choices.reading.plain import FIELDS
from fsa.choices.reading.row_files import RowFile


class Rows(MappedRows):
    """One choice a row, in the columns of `parse_record`'s fields or in those that `columns` names.

    Formats are told apart by content. A row is read a little more freely than a line that `Jsonl` reads: a
    null or an empty cell is a field left out; whole numbers are taken for names of users, groups and splits.
    In a column of text, `chosen` may say "0" for option 0, and `options` and `ranking` are lists in JSON.
    Columns that are neither mapped nor fields of a record are ignored, with a warning that names them. Rows
    of a named split of a data set say so in their `split`, unless a column does.

    Args:
        path: A Parquet, CSV or JSONL file, a pattern with * that names some, a folder of some or one written
            by `Dataset.save_to_disk`, `owner/name` of a data set on the hub, or a list of these. In Python
            also a `Dataset`, a `DatasetDict`, or a list of rows as mappings.
        columns: Which column each of our fields is in, such as {user: annotator_id, rejected: worse}, where
            it is not in one of its own name; {group: null} reads no group although there is such a column.
            {options: [answer_a, answer_b], chosen: winner} takes each option from a column of its own; then
            `chosen` may also say the name of a column.
        reading: See `MappedRows`.

    Raises:
        ConfigError: `columns` maps what is no field of a record.
    """

    fields: ClassVar[frozenset[str]] = FIELDS

    def __init__(
        self,
        path: str | list[str],
        *,
        columns: dict[str, str | list[str] | None] | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(path, columns=columns, **reading)

    def _record(self, row: Mapping[str, Any], columns: Mapping[str, Any], file: RowFile) -> dict[str, Any]:
        record = values_of(row, columns)
        spread = columns.get("options")
        if "rejected" in record:
            return record
        if isinstance(spread, list):
            record["options"] = [row.get(column) for column in spread]
        for field in ("options", "ranking"):
            if isinstance(column := columns.get(field), str) and column in file.text_columns:
                record[field] = read_list(record.get(field), field)
        if isinstance(record.get("chosen"), str):
            is_number = columns["chosen"] in file.text_columns
            record["chosen"] = _number_of_option(record["chosen"], is_number, spread)
        return {field: value for field, value in record.items() if value is not None}


def _number_of_option(chosen: str, is_number: bool, columns: Any) -> int | str:
    """The option that a text names, by its column or its number; the text itself where it names none."""
    if isinstance(columns, list) and chosen in columns:
        return columns.index(chosen)
    return int(chosen) if is_number and chosen.isascii() and chosen.isdigit() and len(chosen) < 6 else chosen
