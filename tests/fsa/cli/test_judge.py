"""`fsa judge`."""

import json
from pathlib import Path
from typing import Any

import pytest

from fsa.cli.judge import judge
from fsa.errors import ChoiceDataError, ConfigError
from tests.factories.labelled import made_up


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    entries = [
        {
            "prompt": each.probe.prompt,
            "responses": each.probe.responses,
            "labels": [
                dict(zip(each.labels.attributes, row, strict=True)) for row in each.labels.mean.tolist()
            ],
        }
        for each in made_up(60)
    ]
    (tmp_path / "examples.json").write_text(json.dumps(entries))
    (tmp_path / "judge.yaml").write_text("judge: fsa.judge.regressor.RegressorJudge")
    (tmp_path / "target.json").write_text('{"short": 1}')
    lines = [
        {"prompt": "p", "responses": ["w1 " * 20, "w1", "w1"], "id": 7},
        {"prompt": "q", "responses": ["w1", [{"role": "assistant", "content": "w1 " * 9}]]},
    ]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    names = {
        "examples": "examples.json",
        "judge": "judge.yaml",
        "target": "target.json",
        "candidates": "c.jsonl",
    }
    return {name: str(tmp_path / file) for name, file in names.items()}


def test_choice_and_scores_a_line(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    judge(**files)
    one, two = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (one["id"], one["choice"], one["ties"]) == (7, 1, [1, 2])
    assert one["scores"]["short"][0] < one["scores"]["short"][1] == one["scores"]["short"][2]
    assert one["distances"][1] == pytest.approx(1 - one["scores"]["short"][1])
    assert (one["spread"], one["reasoning"], one["problems"]) == (None, None, [])
    assert two["choice"] == 0


def test_a_saved_regressor_answers_the_same(files: dict[str, str], tmp_path: Path) -> None:
    judge(**files, save=str(tmp_path / "saved"), out=str(tmp_path / "one.jsonl"))
    again = {name: files[name] for name in ("target", "candidates")}
    judge(**again, judge=str(tmp_path / "saved"), out=str(tmp_path / "two.jsonl"))
    assert (tmp_path / "one.jsonl").read_text() == (tmp_path / "two.jsonl").read_text()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"responses": ["a", "b"]}, "candidates must be an object with prompt and responses"),
        ({"prompt": "p", "responses": ["a"]}, "responses must be a list of two or more"),
        ({"prompt": "p", "responses": [[0.5], [0.2]]}, "responses must be texts or chats"),
        ({"prompt": 3, "responses": ["a", "b"]}, "prompt must be"),
    ],
)
def test_bad_candidates_name_their_line(files: dict[str, str], line: Any, said: str) -> None:
    with open(files["candidates"], "a") as stream:
        stream.write(json.dumps(line) + "\n")
    with pytest.raises(ChoiceDataError, match=rf"c\.jsonl:3: .*{said}"):
        judge(**files)


def test_bad_targets_and_judges_are_one_clear_error(files: dict[str, str], tmp_path: Path) -> None:
    Path(files["target"]).write_text('{"funny": 1}')
    with pytest.raises(ConfigError, match="target names 'funny'; the attributes are long, short"):
        judge(**files)
    Path(files["target"]).write_text('{"short": 1}')
    Path(files["judge"]).write_text("chooser: x")
    with pytest.raises(ConfigError, match="must have judge, came chooser"):
        judge(**files)
