"""Files of one JSON list, plain or gzipped, as annotation tools export them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsa.choices.reading.csv_file import open_maybe_packed
from fsa.choices.reading.json_lines import STRICT, refuse_special
from fsa.errors import ChoiceDataError

_FIRST = 1 << 12  # bytes looked at
_MARK = b"\xef\xbb\xbf"


def holds_list(path: Path) -> bool:
    """Whether a file begins as a JSON list; False where it cannot be read, or is no file."""
    try:
        if not path.is_file():
            return False
        with open_maybe_packed(path) as stream:
            start: bytes = stream.read1(_FIRST)
    except (OSError, EOFError, zlib.error):
        return False
    return start.removeprefix(_MARK).lstrip().startswith(b"[")


def json_list(path: Path) -> Iterator[tuple[str, Any]]:
    """What a file's list holds, each with file and number from 1.

    Args:
        path: A file of UTF-8.

    Raises:
        ChoiceDataError: The file cannot be read, or is no JSON list; names line and column.
    """
    refuse_special(path)
    try:
        with open_maybe_packed(path) as stream:
            text = stream.read().removeprefix(_MARK).decode()
        found = STRICT.decode(text.strip())
    except UnicodeDecodeError as error:
        raise ChoiceDataError(f"{path}: must be UTF-8, byte {error.start + 1} of it is none") from None
    except json.JSONDecodeError as error:
        raise ChoiceDataError(
            f"{path}:{error.lineno}: must be one JSON list: {error.msg} at column {error.colno}"
        ) from None
    except RecursionError:
        raise ChoiceDataError(f"{path}: must be one JSON list, came one nested too deeply") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ChoiceDataError(f"{path}: damaged gzip file: {error}") from error
    except OSError as error:
        raise ChoiceDataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ChoiceDataError(f"{path}: {error}") from None
    if not isinstance(found, list):
        raise ChoiceDataError(f"{path}: must be one JSON list, came something after it")
    for number, row in enumerate(found, start=1):
        yield f"{path}:{number}", row
