"""`ran`: a process of ours, what it printed, how long it took and how much memory."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.02  # seconds between looks at a process


@dataclass(frozen=True)
class Ran:
    """A process that ended well.

    Attributes:
        printed: Its standard output.
        seconds: From its start to its end.
        peak: Most memory that was resident, MB (10^6 bytes).
    """

    printed: str
    seconds: float
    peak: float


def ran(*arguments: str) -> Ran:
    """Run Python with these arguments and wait; only in a fresh process does memory say anything."""
    command = [sys.executable, *arguments]
    started, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed)  # noqa: S603 # nosec B603 # our own module, no shell
        while process.poll() is None:
            peak = max(peak, _peak_of(process.pid))  # not `wait4`'s: that of a child begins at its parent's
            time.sleep(_LOOK)
        seconds = time.perf_counter() - started
        printed.seek(0)
        said = printed.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return Ran(said, seconds, peak)


def _peak_of(process: int) -> float:
    """MB at most so far; 0 where the system does not say."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:  # it has just ended, or this is not Linux
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0
