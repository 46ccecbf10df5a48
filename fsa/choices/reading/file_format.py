"""`file_format`: what a file of rows is, by its content."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal

from fsa.choices.reading.csv_file import open_maybe_packed
from fsa.errors import ChoiceDataError

_FIRST = 1 << 16  # bytes looked at
_OTHERS = {
    b"PK\x03\x04": "a zip or Excel file; save it as CSV",
    b"BZh": "a bzip2 file; unpack it, or pack it with gzip",
    b"\xfd7zXZ\x00": "an xz file; unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it, or pack it with gzip",
    b"ARROW1": "an Arrow file; save it as Parquet, or name the folder of Dataset.save_to_disk",
    b"SQLite format 3\x00": "a SQLite file; save its table as CSV",
    b"%PDF": "a PDF file",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}


def file_format(path: Path) -> Literal["parquet", "jsonl", "csv"]:
    """Format of a file, plain or gzipped; the name decides only where its first line could be either.

    Raises:
        ChoiceDataError: The file cannot be read, is empty, or is known to be something else.
    """
    start = _beginning(path)
    if start.startswith(b"PAR1"):
        return "parquet"
    for mark, what in _OTHERS.items():
        if start.startswith(mark):
            raise ChoiceDataError(f"{path}: must be Parquet, CSV or JSONL, came {what}")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise ChoiceDataError(f"{path}:1: must hold at least one record, came none (empty)")
    is_named_json = any(end in (".jsonl", ".ndjson") for end in path.suffixes)
    line = text.split(b"\n", 1)[0]
    is_table = any(delimiter in line for delimiter in (b",", b";", b"\t"))
    if text.startswith(b"{") or (is_named_json and (text.startswith(b"[") or not is_table)):
        return "jsonl"
    if text.startswith(b"["):
        raise ChoiceDataError(f"{path}:1: must be one JSON object a line, came a list; write JSONL")
    if b"\0" in start:
        raise ChoiceDataError(f"{path}: must be Parquet, CSV or JSONL, came bytes that are no text")
    if not is_table:
        raise ChoiceDataError(
            f"{path}:1: must be Parquet, JSONL (one object a line), or CSV with the names of its columns in "
            f"the first line, came {line[:60].decode(errors='replace')!r}"
        )
    return "csv"


def _beginning(path: Path) -> bytes:
    try:
        with open_maybe_packed(path) as stream:
            found: bytes = stream.read1(_FIRST)
            while found.isspace() and (more := stream.read1(_FIRST)):  # blank lines first
                found = more
            return found
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ChoiceDataError(f"{path}:1: damaged gzip file: {error}") from error
    except OSError as error:
        raise ChoiceDataError(f"{path}: cannot be read: {error.strerror or error}") from error
