"""Attacks in processes of their own, each watched: its time, its memory, and whether it lives."""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.trying import Target, Tried

MOST_SECONDS = 10.0  # of work
MOST_WAITING = 30.0  # by the clock, where others may keep the machine busy
MOST_BYTES = 1 << 30
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FORK = multiprocessing.get_context("fork")


@dataclass
class Counts:
    """What came of the attacks on one target."""

    name: str
    tried: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, Tried]] = field(default_factory=list)
    seconds: float = 0.0
    longest: float = 0.0

    def __str__(self) -> str:
        v = self.verdicts
        return (
            f"{self.name:14} {self.tried:6,} cases: {v['accepted']:5,} accepted, {v['refused']:5,} refused "
            f"at {len(self.sites):3} sites, {v['failed']} failed; {self.seconds:.0f} s, longest case "
            f"{self.longest:.1f} s"
        )


def fuzz(
    target: Target,
    cases: int,
    folder: Path,
    *,
    seed: int = 0,
    jobs: int = 1,
    to_first_failure: bool = False,
) -> Counts:
    """Attack a target.

    Args:
        target: What is attacked; it is prepared here.
        cases: How many attacks.
        folder: For the files of the target, and of cases that failed (`failed/NAME-NUMBER`).
        seed: With a case's number this is the whole case.
        jobs: Processes.
        to_first_failure: Whether to end there.
    """
    started = time.monotonic()
    shared = folder / target.name
    shared.mkdir(parents=True, exist_ok=True)
    target.prepare(shared)
    counts = Counts(target.name)
    parts = [range(job, cases, jobs) for job in range(jobs)]
    workers = [_Worker(target, part, shared, seed) for part in parts if part]
    try:
        while not (to_first_failure and counts.failures) and (
            living := [worker for worker in workers if not worker.is_done]
        ):
            wait([worker.here for worker in living], timeout=0.2)
            for worker in living:
                for number, tried, seconds in worker.results():
                    counts.tried += 1
                    counts.verdicts[tried.verdict] += 1
                    counts.longest = max(counts.longest, seconds)
                    if tried.verdict == "refused":
                        counts.sites[tried.site] += 1
                    if tried.verdict == "failed":
                        counts.failures.append((number, tried))
                        _keep(folder, shared, target, number, seed, tried)
    finally:
        for worker in workers:
            worker.stop()
    counts.seconds = time.monotonic() - started
    return counts


def _keep(folder: Path, shared: Path, target: Target, number: int, seed: int, tried: Tried) -> None:
    """Keep the files of a case that failed, with what was said and how to run it again."""
    kept = folder / "failed" / f"{target.name}-{number}"
    with contextlib.suppress(OSError):
        shutil.copytree(_case_folder(shared, number), kept / "files", dirs_exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    again = f"python -m tests.fuzz --target {target.name} --case {number} --seed {seed}"
    said = {"again": again, "what": tried.what, "why": tried.why, "said": tried.said, "site": tried.site}
    (kept / "case.json").write_text(json.dumps(said, indent=1))


def _case_folder(shared: Path, number: int) -> Path:
    return shared / f"case-{number}"


class _Worker:
    """A process that attacks, and is started anew when a case has killed it."""

    def __init__(self, target: Target, numbers: range, folder: Path, seed: int) -> None:
        self.target, self.folder, self.seed = target, folder, seed
        self.left = list(numbers)
        self.here: Connection
        self._start()

    def _start(self) -> None:
        self.here, there = _FORK.Pipe(duplex=False)
        arguments = (self.target, list(self.left), self.folder, self.seed, there)
        self.process = _FORK.Process(target=_attack_all, args=arguments)
        self.process.start()
        there.close()
        self.since = time.monotonic()

    @property
    def is_done(self) -> bool:
        return not self.left

    def results(self) -> Iterator[tuple[int, Tried, float]]:
        """Cases that have ended since the last call."""
        try:
            while self.here.poll():
                number, tried, seconds = self.here.recv()
                self.since = time.monotonic()
                if number is None:  # it has started
                    continue
                self.left.remove(number)
                yield number, tried, seconds
        except EOFError:
            self.process.join()
            if self.left:
                yield self._ended_by(f"its process ended with {self.process.exitcode}")
            return
        if not self.left:
            return
        seconds, size = time.monotonic() - self.since, _resident(self.process.pid)
        if seconds > MOST_WAITING:
            yield self._ended_by(f"it did not end within {MOST_WAITING:.0f} s")
        elif size > 4 * MOST_BYTES:
            yield self._ended_by("it took several GB of memory")

    def _ended_by(self, why: str) -> tuple[int, Tried, float]:
        number = self.left.pop(0)
        seconds = time.monotonic() - self.since
        self.stop()
        if self.left:
            self._start()
        return number, Tried("see its files", "failed", why), seconds

    def stop(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.here.close()


def _attack_all(target: Target, numbers: list[int], folder: Path, seed: int, there: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    out = os.open(os.devnull, os.O_WRONLY)
    if "FSA_FUZZ_LOUD" not in os.environ:
        os.dup2(out, 1)
        os.dup2(out, 2)
    os.environ["FSA_CACHE"] = str(folder / f"cache-{os.getpid()}")
    target.start()
    there.send((None, None, 0.0))
    for number in numbers:
        tried, seconds = attacked(target, number, folder, seed)
        there.send((number, tried, seconds))
        if tried.verdict != "failed":
            shutil.rmtree(_case_folder(folder, number), ignore_errors=True)
    there.close()
    sys.stdout.flush()
    os._exit(0)


def attacked(target: Target, number: int, folder: Path, seed: int) -> tuple[Tried, float]:
    """One case and its seconds, in this process; a case that took too much has failed."""
    case = _case_folder(folder, number)
    case.mkdir(parents=True, exist_ok=True)
    before = _reset_peak()
    started = time.process_time()  # of this process, whatever else the machine does
    try:
        tried = target.attack(Random(f"{seed}/{target.name}/{number}"), case)
    except Exception:
        tried = Tried("?", "failed", "the fuzzer's own fault", traceback.format_exc())
    seconds = time.process_time() - started
    grown = _peak() - before
    if tried.verdict != "failed" and seconds > MOST_SECONDS:
        tried = Tried(tried.what, "failed", f"it took {seconds:.1f} s", tried.said)
    if tried.verdict != "failed" and grown > MOST_BYTES:
        tried = Tried(tried.what, "failed", f"memory grew by {grown / MOST_BYTES:.1f} GB", tried.said)
    return tried, seconds


def _resident(pid: Any) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _reset_peak() -> int:
    """Count the peak of memory from here on; what is resident now, in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _resident("self")


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
