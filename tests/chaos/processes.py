"""Commands in processes of their own, forked so that imports are paid for once, and ended with signal 9."""

import contextlib
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.faults.commands import command

_FORK = multiprocessing.get_context("fork")
Before = Callable[[], None]


class Started:
    """A command under way.

    Args:
        given: Its words.
        cache: Folder of its cache.
        log: File that what it says is added to.
        before: Done in its process first: takes rights away, or sets its clock.
    """

    def __init__(self, given: Sequence[Any], cache: Path, log: Path, before: Before = lambda: None) -> None:
        self.log, self.since = log, time.monotonic()
        self.process = _FORK.Process(target=_run, args=(given, cache, log, before))
        self.process.start()

    @property
    def is_running(self) -> bool:
        return self.process.exitcode is None

    def kill(self) -> bool:
        """End it and its children with signal 9; False if it had ended by itself."""
        was_running = self.is_running
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        return was_running and self.process.exitcode == -signal.SIGKILL

    def wait(self, seconds: float = 300) -> int:
        """Its exit code.

        Raises:
            TimeoutError: It does not end.
        """
        self.process.join(seconds)
        if self.is_running:
            self.kill()
            raise TimeoutError(f"it did not end within {seconds} s: {self.said()}")
        return self.process.exitcode or 0

    def said(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""


def _run(given: Sequence[Any], cache: Path, log: Path, before: Before) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ["FSA_CACHE"] = str(cache)
    with log.with_suffix(".out").open("ab") as file:  # what libraries say past Python
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    before()
    ended = command(*given)
    with contextlib.suppress(OSError), log.open("a") as file:
        file.write(f"$ {' '.join(map(str, given))}\n{ended.err}\n[{ended.code}]\n")
    os._exit(ended.code)


def no_more_than(size: int) -> Before:
    """A disk on which no file can be longer: writes fail as on a full one, without a right to mount."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def clock_back_after(seconds: float, by: float) -> Before:
    """A clock that is set back while the command works; the machine's own is left alone."""

    def turn() -> None:
        now, now_ns, since = time.time, time.time_ns, time.monotonic()

        def back() -> float:
            return by if time.monotonic() - since > seconds else 0.0

        time.time = lambda: now() - back()  # type: ignore[assignment]
        time.time_ns = lambda: now_ns() - int(back() * 1e9)  # type: ignore[assignment]

    return turn
