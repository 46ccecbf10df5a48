"""A file of lines that grows, and goes on after a kill."""

from pathlib import Path

import pytest

from fsa.errors import ConfigError
from fsa.recipes.line_log import LineLog


def test_lines_come_back_and_a_torn_one_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.jsonl"
    log = LineLog(path, {"seed": 0})
    log.append([{"x": 1}, {"x": "ü"}])
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])  # killed while writing the second
    again = LineLog(path, {"seed": 0})
    assert again.lines == [{"x": 1}]
    again.append([{"x": "ü"}])
    assert path.read_bytes() == whole


def test_a_file_of_other_work_is_refused(tmp_path: Path) -> None:
    LineLog(tmp_path / "a.jsonl", {"seed": 0})
    with pytest.raises(ConfigError, match="answers of another method or data"):
        LineLog(tmp_path / "a.jsonl", {"seed": 1})
