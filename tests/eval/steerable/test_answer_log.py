"""Answers that stream to a file."""

from pathlib import Path

import pytest

from eval.steerable.answer_log import Answers
from fsa.errors import ConfigError
from fsa.judge.judge import Cost

ABOUT = {"method": "m"}


def test_answers_and_costs_come_back(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "a.jsonl", ABOUT)
    answers.add([{"id": "x", "says": 1}, {"id": "y", "says": 2}], Cost(2, 30, 4, 0.5))
    answers.add([{"id": "z", "says": 3}], Cost(1, 10, 2, 0.25))
    again = Answers(tmp_path / "a.jsonl", ABOUT)
    assert len(again) == 3
    assert (again["y"]["says"], "w" in again) == (2, False)
    assert again.cost == Cost(3, 40, 6, 0.75)


def test_a_torn_last_line_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    answers = Answers(path, ABOUT)
    answers.add([{"id": "x"}, {"id": "y"}], Cost(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])  # killed while writing y
    again = Answers(path, ABOUT)
    assert ("x" in again, "y" in again) == (True, False)
    again.add([{"id": "y"}], Cost(1))
    assert len(Answers(path, ABOUT)) == 2
    assert len(path.read_text().splitlines()) == 3


def test_another_methods_file_is_refused(tmp_path: Path) -> None:
    Answers(tmp_path / "a.jsonl", ABOUT)
    with pytest.raises(ConfigError, match="answers of another method or data"):
        Answers(tmp_path / "a.jsonl", {"method": "n"})


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Answers(path, ABOUT)
    path.write_text(path.read_text() + "{\n{}\n")
    with pytest.raises(ConfigError, match=r"a\.jsonl:2: must be JSON"):
        Answers(path, ABOUT)
