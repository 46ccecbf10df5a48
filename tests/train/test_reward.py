from pathlib import Path

import pytest

import train.reward
from fsa.runs.folder import WEIGHTS


@pytest.fixture
def command(monkeypatch) -> list[str]:
    """What training was called with."""
    called: list[str] = []
    monkeypatch.setattr(train.reward, "run_recipe", lambda recipe, arguments: called.extend(arguments))
    return called


def test_a_run_is_trained_anew_unless_it_may_be_used_again(command, tmp_path: Path):
    (tmp_path / WEIGHTS).touch()
    train.reward.train_run(tmp_path, "--config=a", reuse=True)
    assert command == []
    train.reward.train_run(tmp_path, "--config=a", seed=3)
    assert command[0] == "--config=a"
    assert {"--overwrite=true", "--seed=3", f"--out={tmp_path}"} < set(command)


def test_a_run_that_was_cut_off_is_not_used(command, tmp_path: Path):
    train.reward.train_run(tmp_path / "no weights", reuse=True)
    assert "--seed=0" in command
