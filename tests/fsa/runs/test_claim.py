from pathlib import Path

import pytest

from fsa.errors import CheckpointError, ConfigError
from fsa.runs.claim import CHECKPOINTS, METRICS, begin, check_changes, check_free, finish
from fsa.runs.folder import WEIGHTS
from fsa.runs.opening import check_finished


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a complete run."""
    folder = tmp_path / "run"
    folder.mkdir()
    begin(folder, {"seed": 0}, "data", resume=False)
    (folder / CHECKPOINTS).mkdir()
    (folder / CHECKPOINTS / "last.ckpt").write_bytes(b"weights")
    (folder / METRICS).write_text("step\n1\n")
    (folder / WEIGHTS).write_bytes(b"old")
    finish(folder)
    return folder


def test_a_run_is_not_lost_by_accident(run: Path):
    with pytest.raises(ConfigError, match=f"--resume {run}.*--overwrite true.*--out FOLDER"):
        check_free(run, {}, resume=False, overwrite=False)
    assert (run / CHECKPOINTS / "last.ckpt").exists()


def test_a_run_that_shall_go_on_stays(run: Path):
    check_free(run, {"seed": 0}, resume=True, overwrite=True)
    begin(run, {"seed": 0}, "data", resume=True)
    assert (run / CHECKPOINTS / "last.ckpt").exists()
    assert (run / METRICS).exists()


def test_an_overwritten_run_is_set_aside_until_its_successor_is_complete(run: Path):
    check_free(run, {"seed": 1}, resume=False, overwrite=True)
    assert (run / WEIGHTS).read_bytes() == b"old"
    begin(run, {"seed": 1}, "data", resume=False)
    assert not (run / WEIGHTS).exists()
    assert not (run / METRICS).exists()
    assert (run / ".before" / WEIGHTS).read_bytes() == b"old"
    with pytest.raises(CheckpointError, match=r"its training has not ended.*\.before"):
        check_finished(run)
    finish(run)
    check_finished(run)
    assert not (run / ".before").exists()


def test_a_second_start_keeps_the_last_complete_run(run: Path):
    begin(run, {"seed": 1}, "data", resume=False)
    (run / CHECKPOINTS).mkdir()
    begin(run, {"seed": 2}, "data", resume=False)
    assert (run / ".before" / WEIGHTS).read_bytes() == b"old"
    assert not (run / CHECKPOINTS).exists()


def test_a_folder_of_something_else_is_never_overwritten(tmp_path: Path):
    (tmp_path / WEIGHTS).write_bytes(b"somebody's")
    with pytest.raises(ConfigError, match=WEIGHTS):
        check_free(tmp_path, {}, resume=False, overwrite=True)


def test_other_choices_are_refused(run: Path):
    with pytest.raises(ConfigError, match="choices are not those"):
        begin(run, {"seed": 0}, "other", resume=True)


def test_what_may_change_may_change_and_nothing_else():
    before = {"loop": {"init_args": {"max_steps": 1}}, "optimizer": {"lr": 1.0}, "seed": 0, "d_belief": 4}
    check_changes(before, {"loop": {"max_steps": 2}, "optimizer": {"lr": 2.0}, "seed": 0}, Path("run"))
    with pytest.raises(ConfigError, match=r"d_belief \(4 before, 5 now\), seed \(0 before, 1 now\)"):
        check_changes(before, {"seed": 1, "d_belief": 5}, Path("run"))
