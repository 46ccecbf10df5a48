"""The steerable recipe, whole."""

from pathlib import Path

import pytest

import eval.steerable.__main__ as recipe
from eval.steerable.answer_log import Answers
from eval.steerable.methods import Scored
from fsa.errors import ConfigError


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
    assert {path.name for path in (tmp_path / "out").iterdir()} - {".lock"} == {
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
