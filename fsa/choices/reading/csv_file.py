"""`CsvFile`: rows of a CSV file, plain or gzipped, strict."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fsa.errors import ChoiceDataError

_DELIMITERS = ",;\t"
_MAX_BYTES = 8 << 20  # of a line, and of a cell

csv.field_size_limit(_MAX_BYTES)


class CsvFile:
    """Rows as mappings of text: UTF-8, the first line names the columns, an empty cell is left out.

    The delimiter is whichever of comma, semicolon and tab the first line has most of.

    Args:
        path: The file.

    Attributes:
        columns: Names in the first line, in their order.

    Raises:
        ChoiceDataError: The file cannot be read, or its first line does not name columns, each once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[str, ...] = ()
        self._delimiter = ","
        with open_maybe_packed(path) as stream:
            first = next(self._texts(stream), "")
        self._delimiter = max(_DELIMITERS, key=first.count)
        for cells, _ in self._cells():
            self.columns = tuple(cell.strip() for cell in cells)
            break
        twice = [name for i, name in enumerate(self.columns) if name in self.columns[:i]]
        if twice or "" in self.columns:
            raise ChoiceDataError(
                f"{path}:1: must name each column once, came "
                + (f"{twice[0]!r} twice" if twice else "a column without a name")
            )

    def rows(self, on_bad: Callable[[ChoiceDataError], None]) -> Iterator[tuple[str, dict[str, str]]]:
        """Each row, with the file and line at which it begins.

        Args:
            on_bad: Is told of a row with more or fewer cells than there are columns; raise to stop there.

        Raises:
            ChoiceDataError: The text is not UTF-8 or not CSV from some line on.
        """
        for number, (cells, where) in enumerate(self._cells()):
            if not number or not cells:
                continue
            if len(cells) != len(self.columns):
                on_bad(
                    ChoiceDataError(
                        f"{where}: row must have {len(self.columns)} cells, one a column, came {len(cells)}"
                    )
                )
                continue
            yield where, {name: cell for name, cell in zip(self.columns, cells, strict=True) if cell}

    def _cells(self) -> Iterator[tuple[list[str], str]]:
        line = 0
        try:
            with open_maybe_packed(self.path) as stream:
                reader = csv.reader(self._texts(stream), delimiter=self._delimiter, strict=True)
                for cells in reader:
                    yield cells, f"{self.path}:{line + 1}"
                    line = reader.line_num
        except csv.Error as error:
            raise ChoiceDataError(f"{self.path}:{line + 1}: row must be CSV: {error}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ChoiceDataError(f"{self.path}:{line + 1}: damaged gzip file: {error}") from error
        except OSError as error:
            raise ChoiceDataError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    def _texts(self, stream: BinaryIO) -> Iterator[str]:
        number = 0
        while line := stream.readline(_MAX_BYTES + 1):
            number += 1
            where = f"{self.path}:{number}"
            if len(line) > _MAX_BYTES:
                raise ChoiceDataError(
                    f"{where}: line must be at most {_MAX_BYTES:,} bytes long, this is longer"
                )
            try:
                yield (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode()
            except UnicodeDecodeError as error:
                byte = line[error.start]
                raise ChoiceDataError(
                    f"{where}: line must be UTF-8, byte {error.start + 1} of it is 0x{byte:02x}"
                ) from None


def open_maybe_packed(path: Path) -> Any:
    """A file to read bytes from; unpacked if its first bytes say gzip."""
    raw = path.open("rb")
    if raw.peek(2)[:2] != b"\x1f\x8b":
        return raw
    return io.BufferedReader(gzip.GzipFile(fileobj=raw))
