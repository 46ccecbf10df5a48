"""Files written whole or not at all, and folders that one process writes at a time."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fsa.errors import OutputError

LOCK = ".lock"


def put_in_place(unfinished: Path, path: Path) -> None:
    """Give a finished file or folder its name: the one place where that happens."""
    os.replace(unfinished, path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """As `whole_file`, for callers that can do without the file: what the system says is left as it is.

    Several processes may write the same path at once: each has a file of its own, and the last one stays.
    """
    unfinished = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.unfinished")
    try:
        yield unfinished
        put_in_place(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A name to write to, which becomes `path` when all went well; else `path` stays as it was.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        with replacing(Path(path)) as unfinished:
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_whole(path: str | Path, text: str) -> None:
    """Write a text file; one that was there is gone only when the new one is complete.

    Raises:
        OutputError: The file cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


class Results:
    """Where a command's results go: a file that is opened before the work and complete or not there, or the
    screen.

    Args:
        out: The file; None for the screen.

    Raises:
        OutputError: Such a file cannot be written. It is found out here, before the work.
    """

    def __init__(self, out: str | Path | None) -> None:
        self.out = None if out is None else Path(out)
        if self.out is not None:
            self._try(self.out)

    def write(self, text: str) -> None:
        """Write all results.

        Raises:
            OutputError: The file cannot be written; one that was there is as it was.
        """
        if self.out is not None:
            # A device (/dev/null, /dev/stdout) is written to, never replaced by a file.
            (write_whole if self._is_replaceable(self.out) else _write_through)(self.out, text)
        elif not sys.stdout.isatty() and hasattr(sys.stdout, "buffer"):
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode())  # UTF-8 whatever the locale, as the file would be
            sys.stdout.buffer.flush()
        else:
            encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()

    def _try(self, path: Path) -> None:
        if path.is_dir():
            raise OutputError(f"{path}: cannot be written: it is a folder")
        if not self._is_replaceable(path):
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
        probe = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.unfinished")
        try:
            probe.write_bytes(b"")
            if path.exists():
                path.open("ab").close()
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
        finally:
            probe.unlink(missing_ok=True)

    @staticmethod
    def _is_replaceable(path: Path) -> bool:
        return path.is_file() or not path.exists()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the system frees it however the process ends.

    Args:
        folder: Is made if missing.

    Raises:
        OutputError: Another process holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"{folder}: another process is writing there; wait for it, or take another"
        ) from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _write_through(path: Path, text: str) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
