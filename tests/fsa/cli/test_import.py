"""`fsa import`: every tool's export in, records out that read the same and train."""

import json
import sys
from pathlib import Path

import pytest

from fsa.choices.jsonl import Jsonl
from fsa.cli.import_ import import_, importable
from fsa.cli.main import main
from fsa.cli.recipes import run_recipe
from fsa.errors import ChoiceDataError
from fsa.recipes.reward import train_reward
from tests.factories.exports import EXPORTS, label_studio, write_json


def imported(folder: Path, tool: str, *more: str) -> str:
    out = folder / "choices.jsonl"
    import_(["--from", tool, EXPORTS[tool](folder), "--out", str(out), *more])
    return str(out)


def said(source) -> list:
    table = source.load()
    return [table.choice(row) for row in range(len(table))]


def test_every_tool_of_the_contract_is_found():
    assert set(EXPORTS) <= set(importable())
    assert {"prism", "rows", "ratings"} <= set(importable())
    assert not {"sandbox", "synthetic"} & set(importable())  # they read nothing


@pytest.mark.parametrize("tool", EXPORTS)
def test_the_records_are_the_choices_that_the_source_reads(tmp_path, tool):
    records = said(Jsonl(imported(tmp_path, tool), cache=False))
    assert len(records) == 48
    assert records == said(importable()[tool](EXPORTS[tool](tmp_path), cache=False))


@pytest.mark.parametrize("tool", EXPORTS)
def test_the_records_train(tmp_path, tool, bert):
    given = {
        "source": "fsa.choices.jsonl.Jsonl",
        "source.path": imported(tmp_path, tool),
        "splits.by": "user",
        "splits.validation_by": "user",
        "splits.fractions": "[0.4,0.3,0.3]",
        "features": "fsa.features.hidden_state.HiddenState",
        "features.backbone": str(bert),
        "features.device": "cpu",
        "projection.num_components": "4",
        "d_belief": "2",
        "episodes.validation_episodes": "2",
        "episodes.users_per_step": "2",
        "loop.max_steps": "2",
        "loop.validate_every": "2",
        "loop.accelerator": "cpu",
        "loop.progress": "false",
        "out": str(tmp_path / "run"),
    }
    rewards = run_recipe(train_reward, [f"--{name}={value}" for name, value in given.items()])
    person = rewards.for_user([])
    assert person.score("w1", ["w2 w3", "w4"]).reward.shape == (2,)
    assert json.loads((tmp_path / "run" / "meta.json").read_text())["steps"] == 2


def test_the_command_says_what_was_left_out(tmp_path, capsys, monkeypatch):
    rows = label_studio()
    rows[0]["annotations"][0]["was_cancelled"] = True
    path = write_json(tmp_path / "s.json", rows)
    monkeypatch.setattr(sys, "argv", ["fsa", "import", "--from", "label-studio", path])
    main()
    streams = capsys.readouterr()
    assert streams.err == "47 choices of 12 people\n1 skipped annotations\n"
    assert len(streams.out.splitlines()) == 47


def test_options_are_those_of_the_source(tmp_path, capsys):
    imported(tmp_path, "community-alignment", "--turns", "all")
    assert capsys.readouterr().err.startswith("96 choices of 12 people")
    with pytest.raises(SystemExit):
        import_(["--from", "argilla", "--help"])
    assert "--values" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        import_(["--from", "prodigy", "x.json"])
    assert ended.value.code == 2
    assert "argilla" in capsys.readouterr().err


def test_a_bad_row_writes_nothing_and_leaves_what_was_there(tmp_path):
    out = tmp_path / "choices.jsonl"
    out.write_text("before\n")
    rows = label_studio()
    rows[5]["annotations"][0]["completed_by"] = None
    given = ["--from", "label-studio", write_json(tmp_path / "s.json", rows), "--out", str(out)]
    with pytest.raises(ChoiceDataError, match=r"s.json:6: annotations\[0\].completed_by must be who chose"):
        import_(given)
    assert out.read_text() == "before\n"
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        import_([*given, "--on-bad-record", "skip"])
    assert len(out.read_text().splitlines()) == 47
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["choices.jsonl", "s.json"]
