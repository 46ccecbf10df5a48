"""`keep`: tables that took long to read, kept on disk under the hash of what they were read from."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fsa.choices.reading.json_lines import refuse_special
from fsa.choices.table import LAYOUT, ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.files import replacing
from fsa.paths import cache_dir

_log = logging.getLogger(__name__)


def keep(key: str | None, read: Callable[[], ChoiceTable]) -> ChoiceTable:
    """The table kept under a key; read, and then kept, where there is none.

    Tables with bad records are not kept, so that each time the records are listed.

    Args:
        key: Of `table_key`, or None to read each time.
        read: Gives the table.
    """
    path = cache_dir() / "choices" / f"{key}.arrow"
    if key and (table := _open(path)):
        return table
    table = read()
    if key and not table.counts.get("bad_records"):
        _save(table, path)
    return table


def table_key(settings: Iterable[Any], paths: Iterable[Path]) -> str:
    """Key of what is in some files, read in a certain way.

    Args:
        settings: Everything that decides what the files come to mean, as JSON allows it.
        paths: The files.

    Raises:
        ChoiceDataError: A file cannot be read.
    """
    content = hashlib.blake2b(json.dumps([LAYOUT, *settings]).encode(), digest_size=16)
    for path in paths:
        refuse_special(path)
        try:
            with path.open("rb") as file:
                content.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError as error:
            raise ChoiceDataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return content.hexdigest()


def _open(path: Path) -> ChoiceTable | None:
    try:
        if not path.exists():
            return None
        if _digest(path) != _checksum(path).read_text():
            raise ChoiceDataError(f"{path}: not what was written there")
        return ChoiceTable.open(path)
    except (ChoiceDataError, OSError, ValueError) as error:  # a crash, a lost page, another version
        _log.warning("%s; reading the records again", error)
        return None


def _save(table: ChoiceTable, path: Path) -> None:
    try:
        _checksum(path).unlink(missing_ok=True)
        table.save(path)
        with replacing(_checksum(path)) as unfinished:
            unfinished.write_text(_digest(path))
    except OSError as error:
        warnings.warn(f"cannot keep the parsed choices at {path}: {error}", stacklevel=4)


def _checksum(path: Path) -> Path:
    """Where the hash of a kept table is; a table without one counts as damaged."""
    return path.with_suffix(".blake2b")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
