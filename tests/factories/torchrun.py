"""The same in two processes on this machine, as torchrun starts them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from eval.bench.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
_FORK = multiprocessing.get_context("fork")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


def both(run: Callable[[Path], None], folder: Path) -> None:
    """A function in two processes on gloo, forked from this one, so that imports are paid for once.

    An abort is told and tried once more, as by `in_two`; an `AssertionError` has what a failed process said.

    Args:
        run: What each does, with what torchrun sets in its environment.
        folder: What it is given, and where what it says goes.
    """
    codes = _forked(run, folder)
    if -signal.SIGABRT in codes:
        warnings.warn(f"{folder.name}: aborted once\n{_said(folder)}", stacklevel=2)
        codes = _forked(run, folder)
    assert codes == [0, 0], (codes, _said(folder))


def _forked(run: Callable[[Path], None], folder: Path) -> list[int | None]:
    port = str(free_port())
    processes: list[BaseProcess] = [
        _FORK.Process(target=_of_rank, args=(run, folder, rank, port)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    left = list(processes)
    while left and wait([process.sentinel for process in left], timeout=170):
        left = [process for process in left if process.is_alive()]
        if any(process.exitcode for process in processes):
            break
    for process in left:  # the other one has failed, or both hang
        process.kill()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _of_rank(run: Callable[[Path], None], folder: Path, rank: int, port: str) -> None:
    sys.stdout = sys.stderr = (folder / f"rank{rank}.txt").open("w", buffering=1)
    for number in (1, 2):  # what libraries say past Python
        os.dup2(sys.stdout.fileno(), number)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "none"}
    run(folder)


def _said(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(folder.glob("rank?.txt")))


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
