import json

import pytest

from fsa.choices.table import ChoiceTable
from fsa.cli.lines import as_lines, choices_of_each, written_lines
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick
from tests.factories.lines import jsonl

ANN = Choice("ann", "p", ("a", "b"), Pick(0))


def test_lines_come_with_their_places_and_bad_ones_are_told_of(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{"a": 1}, [2], '{"a": "\\ud800"}', {"a": 3}])
    bad: list[str] = []
    found = written_lines(path, "line", "an object with a", lambda error: bad.append(str(error)))
    assert found == [(f"{path}:1", {"a": 1}), (f"{path}:4", {"a": 3})]
    assert bad[0] == f"{path}:2: line must be an object with a, came [2]"
    assert "half a surrogate pair" in bad[1]
    with pytest.raises(ChoiceDataError, match="came \[2\]"):
        written_lines(path, "line", "an object with a")


def test_written_lines_hold_no_control_character_and_say_the_same():
    answers = [{"a": "x\u2028y\x7fz\u202e"}, {"a": "é"}]
    text = as_lines(answers)
    assert not set(text) & {"\u2028", "\x7f", "\u202e"}
    assert "é" in text
    assert [json.loads(line) for line in text.splitlines()] == answers


def test_who_has_no_choices_is_warned_of():
    with pytest.warns(UserWarning, match="1 users of prompts are answered as unknown people: bob"):
        found = choices_of_each(ChoiceTable.from_choices([ANN]), ["ann", "bob"], "prompts are answered")
    assert found == [[ANN], []]
