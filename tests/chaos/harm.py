"""Harm done to work, one kind after the other: killed, disk full, no cache, two at once, clock set back."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.processes import Before, Started, clock_back_after, no_more_than
from tests.chaos.work import Work

_DAY = 86_400.0
_ATTEMPTS = 6  # to kill it before it ends
_PHASES = ("before the first that is kept", "after the first that is kept")
FAULTS = ("disk full", "no cache", "two at once", "clock set back")


@dataclass(frozen=True)
class Harmed:
    """One interruption.

    Attributes:
        work: What was done.
        harm: "kill" or one of `FAULTS`.
        phase: When it came.
        wrong: What is lost or mixed in the end; "" for nothing.
    """

    work: str
    harm: str
    phase: str
    wrong: str = ""


class Chaos:
    """One kind of work, done once undisturbed, and then again and again with harm done to it.

    Args:
        work: The work.
        folder: For all that it writes.
        draw: Of moments and sizes.
    """

    def __init__(self, work: Work, folder: Path, draw: Random) -> None:
        self.work, self.folder, self.draw, self.count = work, folder / work.name, draw, 0
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # Twice: the first of all also pays for what is loaded once, and both have to give the same.
        self._undisturbed(self._new())
        out = self._new()
        self.seconds, self.kept_after = self._undisturbed(out)
        if wrong := self._difference(out):
            raise AssertionError(f"{work.name} gives something else each time: {wrong}")
        self.largest = max((p.stat().st_size for p in out.rglob("*") if p.is_file()), default=4096)

    def kills(self, count: int) -> Iterator[Harmed]:
        """Kill it at random moments, every other time once something is kept; then let it go on."""
        for number in range(count):
            for attempt in range(_ATTEMPTS):
                out = self._new()
                started = self._start(self.work.begin(out), out)
                if is_late := number % 3 > 0:
                    self._until_kept(started, out)
                rest = max(self.seconds - self.kept_after, 0.02) if is_late else self.seconds
                _sleep(started, self.draw.uniform(0.0, 0.9) * rest * 0.5**attempt)
                phase = _PHASES[self.work.is_kept(out)]
                if started.kill():
                    break
            else:
                phase = "it had ended"
            yield Harmed(self.work.name, "kill", phase, self._ends_well(out))

    def fault(self, kind: str) -> Harmed:
        """One of `FAULTS`, and what is there in the end."""
        wrong, phase = getattr(self, "_" + kind.replace(" ", "_"))()
        return Harmed(self.work.name, kind, phase, wrong)

    def _disk_full(self) -> tuple[str, str]:
        out = self._new()
        size = self.draw.randrange(512, max(self.largest, 1024))
        started = self._start(self.work.begin(out), out, no_more_than(size))
        code = started.wait()
        if code not in (0, 1) or "Traceback" in started.said() or "unexpected error" in started.said():
            return f"exit code {code}: {started.said()}", f"no file beyond {size:,} bytes"
        return self._ends_well(out), f"no file beyond {size:,} bytes, exit code {code}"

    def _no_cache(self) -> tuple[str, str]:
        out = self._new()
        nowhere = out / "no-folder"
        nowhere.write_text("")
        started = Started(self.work.begin(out), nowhere, out / "log.txt")
        code = started.wait()
        if self.work.whole is not None:  # the cache is what it fills
            is_told = code == 1 or "cannot be" in started.said() or "not kept" in started.said()
            return "" if is_told else f"exit code {code}, no word: {started.said()}", f"exit code {code}"
        return self._difference(out) if code == 0 else started.said(), f"exit code {code}"

    def _two_at_once(self) -> tuple[str, str]:
        out = self._new()
        both = [self._start(self.work.begin(out), out, log=f"log-{i}.txt") for i in range(2)]
        codes = [one.wait() for one in both]
        said = "".join(one.said() for one in both)
        if "Traceback" in said or "unexpected error" in said:
            return said, f"exit codes {codes}"
        return ("" if 0 in codes else said) or self._difference(out), f"exit codes {sorted(codes)}"

    def _clock_set_back(self) -> tuple[str, str]:
        out = self._new()
        before = clock_back_after(self.draw.uniform(0, 0.5) * self.seconds, by=30 * _DAY)
        started = self._start(self.work.begin(out), out, before)
        _sleep(started, self.draw.uniform(0.5, 0.9) * self.seconds)
        phase = "killed in mid work" if started.kill() else "done"
        return self._ends_well(out, clock_back_after(0, by=400 * _DAY)), phase

    def _ends_well(self, out: Path, before: Before = lambda: None) -> str:
        """Go on with it as a person would, and compare."""
        started = self._start(self.work.again(out), out, before)
        code = started.wait()
        return self._difference(out) if code == 0 else f"exit code {code}: {started.said()}"

    def _difference(self, out: Path) -> str:
        found = self.work.outcome(out)
        other = [n for n in sorted(self.whole.keys() | found.keys()) if self.whole.get(n) != found.get(n)]
        return f"{len(other)} of {len(self.whole)} results differ: {', '.join(other[:5])}" if other else ""

    def _new(self) -> Path:
        self.count += 1
        out = self.folder / str(self.count)
        out.mkdir()
        return out

    def _start(self, given: Any, out: Path, before: Before = lambda: None, log: str = "log.txt") -> Started:
        return Started(given, out / "cache", self.folder / f"{out.name}-{log}", before)

    def _undisturbed(self, out: Path) -> tuple[float, float]:
        """Seconds of the whole work, and until something is kept."""
        started = self._start(self.work.begin(out), out)
        kept = self._until_kept(started, out)
        if started.wait():
            raise AssertionError(f"{self.work.name} does not work: {started.said()}")
        seconds = time.monotonic() - started.since
        self.whole = getattr(self, "whole", None) or self.work.outcome(out)
        if not self.whole:
            raise AssertionError(f"{self.work.name}: nothing came out: {started.said()}")
        return seconds, min(kept, seconds)

    def _until_kept(self, started: Started, out: Path) -> float:
        while started.is_running and not self.work.is_kept(out):
            time.sleep(0.002)
        return time.monotonic() - started.since


def _sleep(started: Started, seconds: float) -> None:
    end = time.monotonic() + seconds
    while started.is_running and time.monotonic() < end:
        time.sleep(min(0.002, max(end - time.monotonic(), 0)))


def counted(all_harm: list[Harmed]) -> Iterator[str]:
    """A line for each kind of work and harm: how many, when, and what is wrong."""
    for work in dict.fromkeys(one.work for one in all_harm):
        for harm in dict.fromkeys(one.harm for one in all_harm if one.work == work):
            mine = [one for one in all_harm if (one.work, one.harm) == (work, harm)]
            phases = ", ".join(f"{n} {phase}" for phase, n in sorted(Counter(o.phase for o in mine).items()))
            wrong = sum(bool(one.wrong) for one in mine)
            yield f"{work:13} {harm:15} {len(mine):3}: {phases}; {wrong} lost or mixed"
