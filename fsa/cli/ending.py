"""How a command ends: one line for a person, an exit code for a script, and never a Python traceback."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from fsa.errors import FsaError
from fsa.interrupts import Interrupted, signals_interrupt

EXPECTED, UNEXPECTED, BROKEN_PIPE = 1, 3, 141
"""Exit codes besides 0, 2 (a command line that cannot be read), 130 (Ctrl-C) and 143 (SIGTERM)."""

_LONGEST = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def ending_well(work: Callable[[], Any]) -> Any:
    """Run a command's work, and end the process as its outcome asks for.

    What fsa refuses, and what the system refuses (a full disk), is one line and exit code 1. What was not
    expected is one line too, which names the file that the trace is in, and exit code 3.

    Returns:
        What the work returns, if it ends well.
    """
    try:
        with signals_interrupt():
            return work()
    except Interrupted as asked:
        _end(str(asked), asked.exit_code)
    except KeyboardInterrupt:
        _end("ended by Ctrl-C", 130)
    except BrokenPipeError:
        # The reader of the output has gone. What is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except (FsaError, OSError) as error:
        _end(f"error: {error}", EXPECTED)
    except RecursionError as error:
        _end(f"error: what was given is nested too deeply ({error})", EXPECTED)
    except Exception as error:
        said = f"unexpected error, {type(error).__name__}: {error}"
        _end(f"{said:.500} (trace: {_saved_trace()})", UNEXPECTED)


def one_line(text: str) -> str:
    """A text as one line that a terminal shows and does not obey."""
    return _CONTROL.sub(" ", text)[:_LONGEST]


def _end(line: str, code: int) -> NoReturn:
    print(one_line(line), file=sys.stderr)
    sys.exit(code)


def _saved_trace() -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="fsa-trace-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            traceback.print_exc(file=file)
        return file.name
    except OSError as error:
        return f"none, it cannot be written: {error}"
