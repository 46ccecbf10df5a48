"""`ran`: a process of ours, what it printed, how long it took and how much memory; `resident`."""

from __future__ import annotations

import contextlib
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
            with contextlib.suppress(OSError):  # it has just ended
                # Not what `wait4` says: that of a child begins at its parent's.
                peak = max(peak, resident(process.pid)[1])
            time.sleep(_LOOK)
        seconds = time.perf_counter() - started
        printed.seek(0)
        said = printed.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return Ran(said, seconds, peak)


def resident(process: int | str = "self") -> tuple[float, float]:
    """Resident memory of a process in MB (10^6 bytes), now and at its highest; mapped files count.

    Raises:
        OSError: It has ended.
    """
    status = Path(f"/proc/{process}/status")
    if not Path("/proc/self/status").exists():  # not Linux: psutil knows, but not the highest
        import psutil

        try:
            now = psutil.Process(None if process == "self" else int(process)).memory_info().rss / 1e6
        except psutil.Error as error:
            raise ProcessLookupError(f"process {process} has ended") from error
        return now, now
    sizes = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status.read_text()))
    # Of one that has ended and was not waited for there is no size.
    return int(sizes.get("VmRSS", 0)) * 1024 / 1e6, int(sizes.get("VmHWM", 0)) * 1024 / 1e6
