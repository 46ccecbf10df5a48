"""`replacing`: the one way in which a finished file gets its name, so that a crash leaves no half a file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its name when the block ends without an error.

    Several processes may write the same path at once: each has a file of its own, and the last one stays.

    Example:
        >>> with replacing(Path("numbers.csv")) as unfinished:
        ...     unfinished.write_text("1,2,3")
    """
    own = f"{os.getpid()}.{secrets.token_hex(4)}"
    unfinished = path.with_name(f".{path.stem}.{own}.unfinished{path.suffix}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; never half of it."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
