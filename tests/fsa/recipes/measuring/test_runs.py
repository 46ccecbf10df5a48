"""Which runs make a method, and which runs are not opened."""

import shutil
import sys
from pathlib import Path

import pytest

from fsa.errors import CheckpointError, ConfigError
from fsa.recipes.measuring.runs import Method, Settings, opened
from fsa.runs.folder import read_yaml, write_yaml

SETTINGS = Settings([0, 1], "test", 10, 5, 1)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Folders that look like runs."""
    for name in ("np-0", "np-1", "np=2", "other", "no-run"):
        (tmp_path / name).mkdir()
        if name != "no-run":
            (tmp_path / name / "config.yaml").write_text("seed: 0\n")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "name", "runs"),
    [
        ("np-0", "np-0", ["np-0"]),
        ("np-*", "np", ["np-0", "np-1"]),
        ("ours=np-*", "ours", ["np-0", "np-1"]),
        ("np=2", "np=2", ["np=2"]),
        ("ours=np=2", "ours", ["np=2"]),
        ("all=*", "all", ["np-0", "np-1", "np=2", "other"]),
    ],
)
def test_a_method_is_a_folder_or_a_glob_with_a_name_of_its_own(folders, monkeypatch, given, name, runs):
    monkeypatch.chdir(folders)
    assert Method.of(given) == Method(name, tuple(map(Path, runs)))


def test_a_folder_by_its_full_path_is_named_by_its_last_part(folders):
    assert Method.of(f"{folders}/other/").name == "other"


def test_a_foreign_source_is_refused_and_never_imported(synthetic_run, tmp_path, monkeypatch):
    (tmp_path / "somebodys_source.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = shutil.copytree(synthetic_run, tmp_path / "run")
    config = read_yaml(folder / "config.yaml")
    write_yaml(folder / "config.yaml", config | {"source": {"class_path": "somebodys_source.Mine"}})
    with pytest.raises(
        CheckpointError, match=r"config.yaml: source is somebodys_source.Mine, which is not part"
    ):
        opened(folder, SETTINGS, {})
    assert "somebodys_source" not in sys.modules


def test_shuffled_choices_have_no_truth(synthetic_run, tmp_path):
    folder = shutil.copytree(synthetic_run, tmp_path / "run")
    write_yaml(folder / "config.yaml", read_yaml(folder / "config.yaml") | {"shuffle_choices": True})
    known = {}
    true, shuffled = opened(synthetic_run, SETTINGS, known), opened(folder, SETTINGS, known)
    assert len(known) == 2
    assert true.at.truth is not None
    assert shuffled.at.truth is None
    assert (true.at.table.place != shuffled.at.table.place).mean() == pytest.approx(0.5, abs=0.1)


def test_runs_that_read_items_alike_share_their_features(synthetic_run):
    known = {}
    first, second = (opened(synthetic_run, SETTINGS, known) for _ in range(2))
    assert first.at is second.at
    assert len(first.at.items) == 1


@pytest.mark.parametrize("wrong", [{"max_targets": 10**20}, {"context_sizes": [10**20]}, {"max_targets": 0}])
def test_numbers_beyond_all_choices_are_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Settings(**{**vars(SETTINGS), **wrong})
