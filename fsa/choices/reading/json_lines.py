"""Lines of JSON files: plain or gzipped, strict, and bounded in size."""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import orjson

from fsa.errors import ChoiceDataError

_BLOCK = 1 << 20  # bytes read at once
_ROWS = 1000  # parsed lines handed on at once


def stop(error: ChoiceDataError) -> NoReturn:
    """Take a bad line as the end of everything."""
    raise error


def json_lines(
    path: str | Path,
    on_bad: Callable[[ChoiceDataError], None],
    *,
    max_line_bytes: int = 8 << 20,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[str, Any]]:
    """What each line of a file says in JSON, with its file:line.

    UTF-8, with or without byte-order mark; gzip is recognised by its first bytes; lines may end in CR LF;
    blank lines count but give nothing.

    Args:
        path: A file.
        on_bad: Is told of a line that is no JSON (names file, line and column or byte); raise to stop there.
        max_line_bytes: A longer line is bad, and is not parsed.
        on_bytes: Is told now and then how many bytes of the file have been read.

    Raises:
        ChoiceDataError: The file cannot be read, or its gzip stream is damaged.
    """
    for block in json_blocks(path, on_bad, max_line_bytes=max_line_bytes, on_bytes=on_bytes):
        yield from block


def all_json_lines(path: str | Path, on_bad: Callable[[ChoiceDataError], None]) -> list[tuple[str, Any]]:
    """All that `json_lines` gives of a file that fits into memory."""
    return list(json_lines(path, on_bad))


def json_blocks(
    path: str | Path,
    on_bad: Callable[[ChoiceDataError], None],
    *,
    max_line_bytes: int = 8 << 20,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Iterator[list[tuple[str, Any]]]:
    """What `json_lines` gives, many lines at a time; `on_bad` is told of a line after all before it came."""
    number, name = 0, str(path)
    rows: list[tuple[str, Any]] = []
    refuse_special(path)
    try:
        with open(path, "rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            for number, line in _lines(stream, max_line_bytes, lambda: on_bytes(raw.tell())):
                try:
                    parsed = _usual(line) if len(line) <= max_line_bytes else None
                    if parsed is None:
                        text = _decode(line, number, max_line_bytes)
                        if not text:
                            continue
                        parsed = _parse(text)
                except ValueError as error:
                    yield rows
                    rows = []
                    on_bad(ChoiceDataError(f"{name}:{number}: {error}"))
                    continue
                rows.append((f"{name}:{number}", parsed))
                if len(rows) == _ROWS:
                    yield rows
                    rows = []
        yield rows
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ChoiceDataError(f"{name}:{number + 1}: damaged gzip file: {error}") from error
    except OSError as error:
        raise ChoiceDataError(f"{name}: cannot be read: {error.strerror or error}") from error


def refuse_special(path: str | Path) -> None:
    """Refuse what is no ordinary file: a pipe is empty when it is read a second time, a device never ends.

    Raises:
        ChoiceDataError: It is one of these, or there is no such file.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        said = error.strerror if isinstance(error, OSError) else error
        raise ChoiceDataError(f"{path!s:.200}: cannot be read: {said}") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ChoiceDataError(f"{path}: cannot be read: it is a pipe or device; write it to a file first")


def _lines(
    stream: BinaryIO, max_line_bytes: int, on_block: Callable[[], None]
) -> Iterator[tuple[int, bytes]]:
    """Number from 1 and bytes of each line that is not blank; of a line that is too long, its beginning."""
    number, rest = 0, b""
    while block := stream.read1(_BLOCK):  # type: ignore[attr-defined]
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            number += 1
            if line and not line.isspace():
                yield number, line
        rest = rest[: max_line_bytes + 1]
        on_block()
    if rest and not rest.isspace():
        yield number + 1, rest


def _decode(line: bytes, number: int, max_line_bytes: int) -> str | None:
    """The text of a line; None for a blank one."""
    if len(line) > max_line_bytes:
        raise ValueError(f"line must be at most {max_line_bytes:,} bytes long, this one is longer")
    if number == 1:
        if line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ValueError("file must be UTF-8, came UTF-16")
        if line.startswith(b"PAR1"):
            raise ValueError("file must be JSONL, came Parquet; the source fsa.choices.rows.Rows reads it")
        line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode() if line.strip() else None
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise ValueError(f"line must be UTF-8, byte {error.start + 1} of it is 0x{byte:02x}") from None


def _usual(line: bytes) -> dict[str, Any] | None:
    """What most lines say, at a third of `_parse`'s time: an object without objects in it, each name once.

    None for any other line, bad ones among them: `_parse` says what that is.
    """
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(parsed) is not dict:
        return None
    # As many ends of names as names: none came twice, none is inside. Texts without a colon need no search.
    if line.count(b":") != len(parsed) and len(_NAME_ENDS.findall(line)) != len(parsed):
        return None
    holds_lists = False
    for value in parsed.values():
        if type(value) is float:  # orjson makes floats of huge integers
            return None
        if type(value) is list and any(type(part) is not str for part in value):
            holds_lists = True  # of numbers, perhaps
    return None if holds_lists and _HUGE.search(line) else parsed


_HUGE = re.compile(rb"\d{19}")
_NAME_ENDS = re.compile(rb'"[ \t\r]*:')


def _parse(text: str) -> Any:
    try:
        return STRICT.decode(text)
    except json.JSONDecodeError as error:
        what = "the line ends early" if error.pos >= len(text.rstrip()) else error.msg
        raise ValueError(f"line must be one JSON object: {what} at column {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("line must be one JSON object: nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"{twice[:60]!r} must be given once, came twice")
    return fields


def _constant(name: str) -> Any:
    raise ValueError(f"numbers must be finite, came {name}")


STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
"""Reads JSON in which each name comes once and numbers are finite; raises `ValueError`."""
