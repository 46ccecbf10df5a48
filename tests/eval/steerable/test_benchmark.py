import csv
import json
from pathlib import Path

import pytest

from eval.steerable.benchmark import benchmark, target_sets
from fsa.errors import ChoiceDataError, ConfigError
from fsa.judge.mic import COLUMNS


def test_target_sets_hold_what_their_names_say(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"a": 0.5}')
    sets = target_sets(["high", "sampled", "single", str(tmp_path / "mine.json")], ("a", "b"), 4, 0)
    assert {name: len(targets) for name, targets in sets.items()} == {
        "high": 1,
        "1 attribute": 4,
        "2 attributes": 4,
        "a alone": 5,
        "b alone": 5,
        "each alone": 10,
        "mine": 1,
    }
    (tmp_path / "mine.json").write_text('{"c": 0.5}')
    with pytest.raises(ConfigError, match="target names 'c'"):
        target_sets([str(tmp_path / "mine.json")], ("a", "b"), 4, 0)


def test_mic_is_halved_by_prompt(tmp_path: Path) -> None:
    vector = "[1, 0, 0, 0, 0, 0]"
    rows = [(f"q{i}", f"a{j}", "2" if j else "0", vector, "Be kind.") for i in range(40) for j in range(2)]
    with (tmp_path / "MIC.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    found = benchmark(str(tmp_path / "MIC.csv"))
    assert (found.name, len(found.train) + len(found.test)) == ("mic", 40)
    assert min(len(found.train), len(found.test)) > 10
    assert found.attributes[0] == "care"


def test_a_tested_prompt_is_not_learned_from(data: Path) -> None:
    test = json.loads((data / "steerable_eval.json").read_text())
    train = json.loads((data / "steerable_train.json").read_text())
    (data / "steerable_train.json").write_text(json.dumps([*train, test[0]]))
    found = benchmark(str(data), limit=5)
    assert (len(found.train), len(found.test), found.dropped) == (60, 5, 1)
    with pytest.raises(ChoiceDataError, match=r"a folder with steerable_train\.json or train\.json"):
        benchmark(str(data / "nowhere"))
