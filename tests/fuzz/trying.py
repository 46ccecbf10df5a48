"""One attack: what was tried, what came of it, and whether that is as it should be."""

import contextlib
import re
import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from fsa.errors import FsaError
from tests.faults.commands import ROOT, Ended

Verdict = Literal["accepted", "refused", "failed"]


@dataclass(frozen=True)
class Opinion:
    """What an oracle says of a case, before anything of fsa has read it.

    Attributes:
        kind: "nonsense" must be refused, "sound" must be accepted, "unsure" may be either.
        why: What is wrong with it.
        places: An error has to hold one of these; empty where any will do.
        values: And one of these: names of fields, or values as they came; empty where any will do.
        content: What a sound case holds; None where nobody compares it.
    """

    kind: Literal["nonsense", "sound", "unsure"]
    why: str = ""
    places: Sequence[str] = ()
    values: Sequence[str] = ()
    content: Any = None


@dataclass(frozen=True)
class Came:
    """How an attack ended.

    Attributes:
        verdict: "failed" for anything but success and an error that fsa raises on purpose.
        said: The error.
        site: Where it was raised: file and line.
        value: What came, where it was accepted.
    """

    verdict: Verdict
    said: str = ""
    site: str = ""
    value: Any = None


@dataclass(frozen=True)
class Tried:
    """A case, judged."""

    what: str
    verdict: Verdict
    why: str = ""
    said: str = ""
    site: str = ""
    files: Sequence[str] = field(default=())


class Target(ABC):
    """A kind of input that is attacked.

    Attributes:
        name: On the command line.
        cases: Of a whole run.
    """

    name: str
    cases: int

    def prepare(self, folder: Path) -> None:  # noqa: B027 (most need nothing)
        """Make what all cases share; called once, before processes are forked."""

    def start(self) -> None:  # noqa: B027
        """Called once in each process, before its first case."""

    @abstractmethod
    def attack(self, draw: Random, folder: Path) -> Tried:
        """Make one case, ask the oracle, attack, judge.

        Args:
            draw: All that is random; the same draws give the same case.
            folder: Empty; what is written there is kept if the case fails.
        """


def came_of(work: Callable[[], Any]) -> Came:
    """Do something that fsa may refuse with an error of its own."""
    with quiet():
        try:
            return Came("accepted", value=work())
        except FsaError as error:
            return Came("refused", str(error), site_of(error))
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            return Came("failed", f"{type(error).__name__}: {error}"[:300] + "\n" + trace, site_of(error))


def came_of_command(ended: Ended) -> Came:
    """What a command's end says: 0, or one line of error and a code of 1 or 2."""
    if ended.code == 0:
        return Came("accepted", value=ended.out)
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    is_refused = ended.code in (1, 2) and len(errors) == 1 and not ended.is_traceback
    if not is_refused or "unexpected error" in errors[0]:
        return Came("failed", f"exit code {ended.code}: {ended.err[-3000:]}")
    return Came("refused", errors[0], site=_without_values(errors[0]))


def judged(
    what: str, opinion: Opinion, came: Came, is_same: Callable[[Any], str] = lambda value: ""
) -> Tried:
    """Whether what came is what the oracle wanted.

    Args:
        what: The case in words.
        opinion: The oracle's.
        came: How it ended.
        is_same: What differs between an accepted value and the oracle's; "" where nothing does.
    """

    def failed(why: str) -> Tried:
        return Tried(what, "failed", why, came.said, came.site)

    if came.verdict == "failed":
        return failed("no error of fsa's own")
    if came.verdict == "accepted":
        if opinion.kind == "nonsense":
            return failed(f"accepted, although {opinion.why}")
        try:
            difference = is_same(came.value)
        except Exception:
            return Tried(what, "failed", "what was accepted is of no use", traceback.format_exc())
        return failed(difference) if difference else Tried(what, "accepted")
    if opinion.kind == "sound":
        return failed("refused, although nothing is wrong with it")
    for wanted, name in ((opinion.places, "place"), (opinion.values, "value")):
        if wanted and not any(one in came.said for one in wanted):
            return failed(f"the error names no {name}; one of {list(wanted)[:6]} was wanted")
    return Tried(what, "refused", said=came.said, site=came.site)


def site_of(error: BaseException) -> str:
    """The line of fsa nearest to where an error was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/fsa/" in frame.filename]
    if not frames:
        return type(error).__name__
    return f"{Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}"


def _without_values(error: str) -> str:
    """An error with everything left out that depends on the case."""
    return re.sub(r"\S*[/\d\"'\[{]\S*", "_", error)[:80]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warning goes to the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
