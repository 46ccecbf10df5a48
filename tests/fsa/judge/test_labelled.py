"""Labelled files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fsa.errors import ChoiceDataError
from fsa.judge.labelled import read_labelled

ENTRY: dict[str, Any] = {
    "prompt": "p",
    "responses": ["a", "b"],
    "labels": [{"x": 0.25, "y": 1}, {"x": 0, "y": 0.5}],
}


def test_a_list_and_lines_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(json.dumps([ENTRY, ENTRY | {"prompt": "q"}]))
    (tmp_path / "lines.jsonl").write_text(json.dumps(ENTRY) + "\n\n" + json.dumps(ENTRY | {"prompt": "q"}))
    one, two = read_labelled(tmp_path / "list.json"), read_labelled(tmp_path / "lines.jsonl")
    assert [each.probe for each in one] == [each.probe for each in two]
    assert len({each.probe.key for each in one}) == 2
    np.testing.assert_array_equal(one[0].labels.columns(["x", "y"]), [[0.25, 1], [0, 0.5]])


def test_reasonings_are_kept(tmp_path: Path) -> None:
    said = ENTRY | {"reasonings": [{"x": "so"}, {"y": "thus"}]}
    (tmp_path / "list.json").write_text(json.dumps([said]))
    assert read_labelled(tmp_path / "list.json")[0].labels.reasoning == (("so", None), (None, "thus"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompt": 3}, "prompt must be a text"),
        ({"responses": ["a"]}, "responses must be two texts or more"),
        ({"labels": [{"x": 1, "y": 1}]}, "labels must be 2 objects"),
        ({"labels": [{"x": 1, "y": 2}, {"x": 0, "y": 0}]}, "labels: y must be a number from 0 to 1, came 2"),
        ({"labels": [{"x": 1}, {"x": 0}]}, r"\[0\]: .* y must be a number|labels must be of"),
        ({"labels": [{"x": 1, "y": 1, "z": 1}] * 2}, "labels must be of x, y, came"),
    ],
)
def test_bad_entries_are_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "list.json").write_text(json.dumps([ENTRY, ENTRY | change]))
    with pytest.raises(ChoiceDataError, match=said.replace(r"\[0\]", r"\[1\]")):
        read_labelled(tmp_path / "list.json")


def test_helpsteer2_is_read(shared: Path) -> None:
    found = read_labelled(shared / "data" / "helpsteer2" / "steerable_eval.json")
    assert len(found) == 500
    assert found[0].labels.attributes[-1] == "verbosity"
