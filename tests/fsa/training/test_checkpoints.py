from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fsa.errors import ConfigError
from fsa.training.checkpoints import BEST, CHECKPOINTS, LAST, Checkpoints, claim_folder
from fsa.training.metrics_csv import METRICS
from tests.factories.training import small_module


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder in which a run has begun."""
    (tmp_path / "run" / CHECKPOINTS).mkdir(parents=True)
    (tmp_path / "run" / CHECKPOINTS / LAST).write_bytes(b"weights")
    (tmp_path / "run" / METRICS).write_text("step\n1\n")
    (tmp_path / "run" / "config.yaml").write_text("seed: 0\n")
    return tmp_path / "run"


def test_a_new_folder_is_made(tmp_path: Path):
    claim_folder(tmp_path / "a" / "b", resume=False, overwrite=False)
    assert (tmp_path / "a" / "b").is_dir()


def test_a_run_is_not_lost_by_accident(run: Path):
    with pytest.raises(ConfigError, match=f"--resume {run}.*--overwrite true.*--out FOLDER"):
        claim_folder(run, resume=False, overwrite=False)
    assert (run / CHECKPOINTS / LAST).exists()


def test_a_run_that_shall_go_on_stays(run: Path):
    claim_folder(run, resume=True, overwrite=True)
    assert (run / CHECKPOINTS / LAST).exists()
    assert (run / METRICS).exists()


def test_a_run_may_be_overwritten(run: Path):
    claim_folder(run, resume=False, overwrite=True)
    assert not (run / CHECKPOINTS).exists()
    assert not (run / METRICS).exists()


def test_only_the_first_process_deletes(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "1")
    claim_folder(run, resume=False, overwrite=True)
    assert (run / CHECKPOINTS / LAST).exists()


def test_checkpoints_fall_on_their_steps_and_on_validations(fit: Callable, monkeypatch: pytest.MonkeyPatch):
    written = []
    write = Checkpoints._write

    def note(self, trainer, name, **more):
        written.append((trainer.global_step, name))
        write(self, trainer, name, **more)

    monkeypatch.setattr(Checkpoints, "_write", note)
    fit(small_module(), checkpoint_every=3, accumulate=2, patience=0)
    assert [step for step, name in written if name == LAST] == [3, 4, 6, 8, 9, 12]
    assert {step for step, name in written if name == BEST} <= {0, 4, 8, 12}  # 0: before the first step


def test_checkpoints_hold_nothing_that_needs_pickle_and_the_best_no_optimiser(fit: Callable, tmp_path: Path):
    fit(small_module())
    folder = tmp_path / "run" / CHECKPOINTS
    last, best = (torch.load(folder / name, weights_only=True) for name in (LAST, BEST))
    assert last["optimizer_states"]
    assert "optimizer_states" not in best
    assert sorted(path.name for path in folder.iterdir()) == [BEST, LAST]
