"""The steerable recipe, whole."""

import csv
import json
from pathlib import Path

import pytest

import eval.steerable.__main__ as recipe
from eval.steerable.answer_log import Answers
from eval.steerable.benchmark import benchmark, target_sets
from eval.steerable.methods import Scored, method_of
from fsa.errors import ChoiceDataError, ConfigError
from fsa.judge.mic import COLUMNS
from tests.factories.labelled import made_up


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, count, seed in (("train", 60, 0), ("eval", 20, 1)):
        entries = [
            {
                "prompt": f"{name} {each.probe.prompt}",
                "responses": each.probe.responses,
                "labels": [
                    dict(zip(each.labels.attributes, row, strict=True)) for row in each.labels.mean.tolist()
                ],
            }
            for each in made_up(count, seed=seed)
        ]
        (folder / f"steerable_{name}.json").write_text(json.dumps(entries))
    return folder


def run(data: Path, out: Path, **more: object) -> dict[tuple[str, str, str], float]:
    report = recipe.steerable(
        ["configs/judge/length.yaml", "noise=configs/judge/random.yaml"],
        str(data),
        out=str(out),
        against="noise",
        **more,  # type: ignore[arg-type]
    )
    return {(row.method, row.group, row.metric): row.value or 0.0 for row in report.rows if not row.slice}


def test_length_serves_targets_about_length_and_noise_does_not(data: Path, tmp_path: Path) -> None:
    found = run(data, tmp_path / "out", targets=["single", "sampled"], count=3)
    assert found["length", "long alone", "accuracy"] > 0.9
    assert found["oracle", "each alone", "accuracy"] == 1
    assert found["length", "each alone", "over_noise_accuracy"] > 0.2
    assert found["length", "long", "rank_correlation"] > 0.9
    assert found["length", "long", "score_error"] < 0.1
    assert found["noise", "all", "cost_requests"] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "answers",
        "report.json",
        "report.md",
        "accuracy_by_target.png",
    }


def test_an_interrupted_run_asks_only_for_what_is_missing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask = Scored.ask

    def dies(self: Scored, units: list, progress: bool) -> list:
        asked.append(len(units))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return ask(self, units, progress)

    whole = run(data, tmp_path / "whole", targets=["high"])
    monkeypatch.setattr(Scored, "ask", dies)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "out", targets=["high"], batch=8)
    assert asked == [8, 8, 4]  # of the length judge's 20
    again = run(data, tmp_path / "out", targets=["high"], batch=8)
    assert asked[3:] == [4, 8, 8, 4]  # its last four, then all of the other's
    assert {key: v for key, v in again.items() if "cost" not in key[2]} == {
        key: v for key, v in whole.items() if "cost" not in key[2]
    }
    assert len((tmp_path / "out" / "answers" / "length.jsonl").read_text().splitlines()) == 21


def test_answers_of_other_data_are_refused(data: Path, tmp_path: Path) -> None:
    Answers(tmp_path / "out" / "answers" / "length.jsonl", {"method": "length", "config": "another"})
    with pytest.raises(ConfigError, match="answers of another method or data"):
        run(data, tmp_path / "out")


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


def test_every_configuration_makes_a_method() -> None:
    paths = [path for path in Path("configs/judge").glob("*.yaml") if path.stem != "users"]
    assert len(paths) >= 5
    for path in paths:
        method, _ = method_of(str(path))
        assert method.name == path.stem


def test_bad_methods_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a file, or one of .*length"):
        method_of("nothing")
    (tmp_path / "empty.yaml").write_text("aligned: true")
    with pytest.raises(ConfigError, match="must have judge or chooser, and not both"):
        method_of(str(tmp_path / "empty.yaml"))
    (tmp_path / "bad.yaml").write_text("judge: fsa.judge.nowhere.Judge")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        method_of(str(tmp_path / "bad.yaml"))
