"""A module of Python in two processes on this machine, as torchrun starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


def in_two(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    resume: Sequence[str] | None = None,
) -> str:
    """What two processes on gloo wrote to stderr; an `AssertionError` with all of it if they failed.

    In some hundred runs glibc has once found its heap damaged ("double free") in one process of a training;
    the cause is not known. Such an abort ends the run. It is told as a warning, with the stacks of threads,
    and the run then goes on as a user's would; a second one fails.

    Args:
        module: Run as `python -m`.
        arguments: Of its command line.
        environment: Variables beside those of this process.
        resume: Command line that goes on with what was cut off; the same again by default.
    """
    done = _start(module, arguments, environment)
    if done.returncode and f"exitcode: {-signal.SIGABRT}" in done.stderr:
        warnings.warn(f"{module}: aborted once\n{done.stderr[-6000:]}", stacklevel=2)
        done = _start(module, arguments if resume is None else resume, environment)
    assert not done.returncode, done.stdout + done.stderr
    return done.stderr


def _start(
    module: str, arguments: Sequence[str], environment: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TORCHRUN, module, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=170,
    )
