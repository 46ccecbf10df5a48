import os
import re
import signal
from pathlib import Path

import pytest

from fsa.cli.ending import ending_well, one_line
from fsa.errors import ConfigError


def raises(error: BaseException):
    def work() -> None:
        raise error

    return work


def test_work_that_ends_well_gives_what_it_returns():
    assert ending_well(lambda: 7) == 7


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("no such\nkey"), 1, "error: no such key"),
        (OSError(28, "No space left on device"), 1, "error: [Errno 28] No space left on device"),
        (RecursionError("deep"), 1, "error: what was given is nested too deeply (deep)"),
        (KeyboardInterrupt(), 130, "ended by Ctrl-C"),
    ],
)
def test_what_is_refused_is_one_line_and_an_exit_code(capsys, error, code, said):
    with pytest.raises(SystemExit) as ended:
        ending_well(raises(error))
    assert (ended.value.code, capsys.readouterr().err) == (code, said + "\n")


def test_what_nobody_expected_names_the_file_of_its_trace(capsys):
    with pytest.raises(SystemExit) as ended:
        ending_well(raises(ZeroDivisionError("by zero")))
    found = re.fullmatch(
        r"unexpected error, ZeroDivisionError: by zero \(trace: (.*)\)\n", capsys.readouterr().err
    )
    assert found is not None
    assert ended.value.code == 3
    assert "ZeroDivisionError" in Path(found[1]).read_text()
    Path(found[1]).unlink()


def test_a_signal_to_end_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        ending_well(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert (ended.value.code, capsys.readouterr().err) == (143, "ended by SIGTERM\n")


def test_a_terminal_obeys_nothing_in_a_line():
    assert one_line("a\x1b[2Jb\r\nc\u202ed") == "a [2Jb c d"
    assert len(one_line("x" * 10_000)) == 2000
