"""`open_rows`: rows of Parquet, CSV and JSONL files and of `datasets` on disk, in memory and on the hub."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from fsa.choices.reading.csv_file import CsvFile
from fsa.choices.reading.file_format import file_format
from fsa.choices.reading.json_lines import json_lines
from fsa.errors import ChoiceDataError, ConfigError

OnBad = Callable[[ChoiceDataError], None]

_BATCH = 1024  # rows; one by one, a row of a data set takes 100 us
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")
_NAMES = tuple(end + packed for end in (".jsonl", ".ndjson", ".csv", ".tsv") for packed in ("", ".gz"))
_NAMES += (".parquet",)
_OF_DATASETS = ("dataset_dict.json", "state.json")  # what `save_to_disk` leaves in a folder


@dataclass(frozen=True)
class RowFile:
    """One file, or one split of a data set.

    Attributes:
        where: File, or data set and split; with the row's number from 1 it is a row's place.
        columns: Names of the columns; None where each row names its own: JSONL, and rows in memory.
        text_columns: Those of them that hold text, from which numbers and lists have to be read.
        split: Name of the split; "" for a file.
        paths: Files that hold all of it, for a hash of what is in it; empty where there are none.
        batches: What `read` reads with.
    """

    where: str
    columns: frozenset[str] | None
    text_columns: frozenset[str]
    split: str
    paths: tuple[Path, ...]
    batches: Callable[[Sequence[str], OnBad], Iterator[tuple[str, Any]]]

    def read(self, columns: Sequence[str], on_bad: OnBad) -> Iterator[tuple[str, Any]]:
        """Every row with its place, which has the row's number from 1.

        Args:
            columns: Columns wanted; a row of JSONL gives all that it has, or is no mapping at all.
            on_bad: Is told of a line that is no JSON; raise to stop there.

        Raises:
            ChoiceDataError: A column is missing, or the file is damaged.
        """
        missing = set() if self.columns is None else set(columns) - self.columns
        if missing:
            has = ", ".join(sorted(self.columns or ()))
            raise ChoiceDataError(
                f"{self.where}: must have the columns {', '.join(sorted(missing))}, came {has}"
            )
        return self.batches(columns, on_bad)


def open_rows(
    path: Any,
    *,
    name: str | None = None,
    split: str | None = None,
    revision: str | None = None,
) -> list[RowFile]:
    """What is at a path: one or more files or splits, nothing read yet but their columns.

    Files are told apart by what is in them, not by their names.

    Args:
        path: A Parquet, CSV or JSONL file, a pattern with * that names some, a folder of some, a folder
            written by `Dataset.save_to_disk`, a data set on the hub, a `Dataset` or `DatasetDict`, or a list
            of any of these or of rows as mappings.
        name: Configuration of a data set on the hub.
        split: One split of a data set; None for all of them, in their order.
        revision: Branch, tag or commit of a data set on the hub.

    Raises:
        ChoiceDataError: There is no such file or data set, or it cannot be read.
        ConfigError: name, split or revision are given for files.
    """
    if isinstance(path, datasets.Dataset | datasets.DatasetDict):
        return [replace(rows, paths=()) for rows in _of_data_set("the data set", path, split)]
    if isinstance(path, Sequence) and path and isinstance(path[0], Mapping):
        rows = [(f"row:{number}", row) for number, row in enumerate(path, start=1)]
        return [RowFile("the rows", None, frozenset(), "", (), lambda *_: iter(rows))]
    if not isinstance(path, str | Path):
        return [rows for one in path for rows in open_rows(one, name=name, split=split, revision=revision)]
    path, here = str(path), Path(path).expanduser()
    is_data_set = any((here / file).is_file() for file in _OF_DATASETS)
    if is_data_set and (name or revision):
        raise ConfigError(f"{path}: name and revision belong to data sets on the hub, this one is a folder")
    if is_data_set:
        return _of_data_set(path, _from_disk(here), split)
    if not here.exists() and _HUB_ID.fullmatch(path) and not path.endswith(_NAMES):
        return _of_data_set(path, _from_hub(path, name, split, revision), split)
    if name or split or revision:
        raise ConfigError(f"{path}: name, split and revision belong to data sets, this names files")
    return [_of_file(file) for file in _files(here)]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.iterdir() if file.name.endswith(_NAMES)]
    else:
        found = [Path(file) for file in glob.glob(str(path), recursive=True)]
    if not found:
        raise ChoiceDataError(
            f"{path}: must be a Parquet, CSV or JSONL file, a pattern or folder of some, a folder of "
            "Dataset.save_to_disk, or owner/name of a data set on the hub; came none of these"
        )
    return sorted(found)


def _of_file(path: Path) -> RowFile:
    """A file of whichever format its content has."""
    kind = file_format(path)
    if kind == "jsonl":
        return RowFile(str(path), None, frozenset(), "", (path,), lambda _, on_bad: json_lines(path, on_bad))
    if kind == "csv":
        file = CsvFile(path)
        names = frozenset(file.columns)
        return RowFile(str(path), names, names, "", (path,), lambda _, on_bad: file.rows(on_bad))
    return _of_parquet(path)


def _of_parquet(path: Path) -> RowFile:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ChoiceDataError(f"{path}: not a readable Parquet file: {error}") from error
    if twice := [name for i, name in enumerate(schema.names) if name in schema.names[:i]]:
        raise ChoiceDataError(f"{path}: must name each column once, came {twice[0]!r} twice")

    def batches(columns: Sequence[str], on_bad: OnBad) -> Iterator[tuple[str, Any]]:
        with pq.ParquetFile(path) as file:
            yield from _numbered(str(path), file.iter_batches(_BATCH, columns=list(columns)), on_bad)

    return RowFile(str(path), frozenset(schema.names), _texts(schema), "", (path,), batches)


def _from_disk(path: Path) -> Any:
    try:
        return datasets.load_from_disk(str(path))
    except Exception as error:  # datasets' errors have no common type
        raise ChoiceDataError(f"{path}: cannot be loaded as a data set: {error}") from error


def _from_hub(path: str, name: str | None, split: str | None, revision: str | None) -> Any:
    try:
        loaded = datasets.load_dataset(path, name=name, split=split, revision=revision)
    except Exception as error:  # nor have the hub's
        what = ", ".join(
            f"{k} {v}" for k, v in (("name", name), ("split", split), ("revision", revision)) if v
        )
        raise ChoiceDataError(
            f"{path}: {what or 'the data set'} cannot be loaded from the hub: {error}"
        ) from error
    return {split: loaded} if split and isinstance(loaded, datasets.Dataset) else loaded


def _of_data_set(path: str, loaded: Any, split: str | None) -> list[RowFile]:
    if isinstance(loaded, datasets.Dataset):
        has = str(loaded.split or "")
        if split and has != split:
            raise ConfigError(
                f"{path}: split is {split!r}, but this is {has!r} alone"
                if has
                else f"{path}: split is {split!r}, but this data set names no splits"
            )
        loaded = {has: loaded}
    elif split:
        if split not in loaded:
            raise ConfigError(f"{path}: split is {split!r}, but the splits are {', '.join(loaded)}")
        loaded = {split: loaded[split]}
    return [_of_split(f"{path}/{name}" if name else path, name, rows) for name, rows in loaded.items()]


def _of_split(where: str, name: str, rows: datasets.Dataset) -> RowFile:
    schema = rows.features.arrow_schema

    def batches(columns: Sequence[str], on_bad: OnBad) -> Iterator[tuple[str, Any]]:
        wanted = rows.select_columns(list(columns)).with_format("arrow")
        yield from _numbered(where, map(_checked, wanted.iter(_BATCH)), on_bad)

    paths = tuple(Path(file["filename"]) for file in rows.cache_files)
    return RowFile(where, frozenset(schema.names), _texts(schema), name, paths, batches)


def _texts(schema: pa.Schema) -> frozenset[str]:
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    types = {
        field.name: field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        for field in schema
    }
    return frozenset(name for name, its in types.items() if any(is_kind(its) for is_kind in kinds))


def _numbered(where: str, batches: Iterator[Any], on_bad: OnBad) -> Iterator[tuple[str, Any]]:
    number = 0
    try:
        for batch in batches:
            for row in _rows_of(batch):
                number += 1
                if isinstance(row, ChoiceDataError):
                    on_bad(ChoiceDataError(f"{where}:{number}: {row}"))
                else:
                    yield f"{where}:{number}", row
    except (pa.ArrowException, OSError) as error:
        raise ChoiceDataError(f"{where}:{number + 1}: cannot be read from here on: {error}") from error


def _checked(batch: pa.Table) -> pa.Table:
    """A batch of a file that may be damaged: Arrow takes what it says for granted, and reads where it points.

    Raises:
        ArrowInvalid: A column points outside itself. Text that is no text is told row by row, later.
    """
    for column in batch.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
    return batch


def _rows_of(batch: Any) -> Iterator[dict[str, Any] | ChoiceDataError]:
    """Rows of a batch; an error, that knows of no place, for one that holds text that is no text."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for i in range(batch.num_rows):
            yield _row_of(batch, i)


def _row_of(batch: Any, i: int) -> dict[str, Any] | ChoiceDataError:
    row = {}
    for name in batch.schema.names:
        try:
            row[name] = batch.column(name)[i].as_py()
        except UnicodeDecodeError as error:
            said = f"{name} must be UTF-8, byte {error.start + 1} of it is 0x{error.object[error.start]:02x}"
            return ChoiceDataError(said)
    return row
