import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fsa.errors import ConfigError
from fsa.training.wandb import has_key, wandb_logger
from tests.factories.training import small_module

HAS_WANDB = importlib.util.find_spec("wandb") is not None


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key in the environment, none in the home folder."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)


def test_a_key_is_found_in_the_environment_or_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert not has_key()
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password key\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert has_key()
    monkeypatch.setenv("WANDB_HOST", "elsewhere.example")
    assert not has_key()
    monkeypatch.setenv("WANDB_API_KEY", "key")
    assert has_key()


def test_without_the_package_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fsa.training.wandb.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r'pip install "fsa\[wandb\]"'):
        wandb_logger("project", tmp_path)


def test_it_is_imported_only_when_asked_for(fit: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    fit(small_module())
    assert "wandb" not in sys.modules


@pytest.mark.slow
@pytest.mark.skipif(not HAS_WANDB, reason='needs wandb: pip install "fsa[wandb]"')
def test_a_run_without_a_key_is_logged_offline_and_resumed_under_its_id(fit: Callable, tmp_path: Path):
    fit(small_module(), wandb="project")
    fit(small_module(), wandb="project", out="another")
    (offline,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    (log,) = offline.glob("run-*.wandb")
    assert log.stat().st_size > 0
    identity = log.stem.removeprefix("run-")
    fit(small_module(), wandb="project", resume=True, max_steps=16)
    logs = sorted((tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(logs) >= 1
    assert {log.stem for log in logs} == {f"run-{identity}"}
    (another,) = (tmp_path / "another" / "wandb").glob("offline-run-*/run-*.wandb")
    assert another.stem != f"run-{identity}"
