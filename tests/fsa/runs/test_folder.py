"""A run folder comes back whole or not at all."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from fsa import RewardModel
from fsa.errors import CheckpointError
from fsa.runs.folder import about_this_run, read_yaml, write_json, write_yaml
from tests.factories.reward_models import part, small_model

FILES = ("model.safetensors", "projection.safetensors")
PARTS = {"encoder": part("encoders.deep_set.DeepSet", hidden=[4], squash=4, spread=True)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_model(**PARTS).save_pretrained(tmp_path / "run")
    return tmp_path / "run"


def change(path: Path, **tensors: torch.Tensor | None) -> None:
    """Replace, add or (None) take out tensors of a file."""
    stored = load_file(path) | tensors
    save_file({name: tensor for name, tensor in stored.items() if tensor is not None}, path)


def names_in(folder: Path) -> list[tuple[str, str]]:
    return [(file, name) for file in FILES for name in load_file(folder / file)]


def refused(folder: Path, *said: str) -> None:
    with pytest.raises(CheckpointError) as error:
        RewardModel.from_pretrained(folder)
    for words in said:
        assert words in str(error.value)


def test_saving_and_loading_changes_no_bit(folder, tmp_path):
    rewards = RewardModel.from_pretrained(folder)
    for name, tensor in small_model(**PARTS).state_dict().items():
        assert torch.equal(tensor, rewards.state_dict()[name]), name
    rewards.save_pretrained(tmp_path / "again")
    for file in (*FILES, "config.json"):
        assert (tmp_path / "again" / file).read_bytes() == (folder / file).read_bytes()


def test_every_missing_tensor_is_refused_by_name(folder):
    names = names_in(folder)
    assert len(names) >= 10
    for file, name in names:
        kept = load_file(folder / file)
        change(folder / file, **{name: None})
        refused(folder, file, name)
        save_file(kept, folder / file)
    RewardModel.from_pretrained(folder)


@pytest.mark.parametrize("file", FILES)
def test_an_extra_tensor_is_refused_by_name(folder, file):
    change(folder / file, surplus=torch.zeros(2))
    refused(folder, file, "surplus")


def test_every_tensor_of_another_shape_is_refused_by_name(folder):
    for file, name in names_in(folder):
        kept = load_file(folder / file)
        for shape in ((7, 3), ()):
            change(folder / file, **{name: torch.zeros(shape, dtype=kept[name].dtype)})
            refused(folder, file, name)
        save_file(kept, folder / file)


@pytest.mark.parametrize(("file", "name"), [(FILES[0], "scorer.taste.weight"), (FILES[1], "centre")])
def test_a_tensor_that_is_not_finite_is_refused_by_name(folder, file, name):
    change(folder / file, **{name: load_file(folder / file)[name] * torch.nan})
    refused(folder, file, name, "finite")


@pytest.mark.parametrize("file", [*FILES, "config.json"])
def test_a_missing_or_damaged_file_is_named(folder, file):
    (folder / file).write_bytes((folder / file).read_bytes()[:-20])
    refused(folder, file)
    (folder / file).unlink()
    refused(folder, file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "fsa.reward.0"}, "format is 'fsa.reward.0', this fsa reads 'fsa.reward.1'"),
        ({"format": None}, "format is None"),
        ({"d_feature": 3}, "d_feature is 3, but the projection is 2 wide"),
        ({"d_belief": "wide"}, "d_belief should be a whole number from 1 to 1,000,000, came 'wide'"),
        ({"num_samples": 0}, "num_samples should be a whole number from 1 to 1,000,000, came 0"),
        ({"scorer": None}, "scorer should be an object with a class_path"),
    ],
)
def test_a_config_of_another_kind_says_so(folder, changes, said):
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | changes)
    refused(folder, said)


def test_an_older_format_is_named_even_where_its_parts_are_unknown(folder):
    write_json(folder / "config.json", {"format": "fsa.reward.0", "head": "mlp"})
    refused(folder, "format is 'fsa.reward.0', this fsa reads 'fsa.reward.1'")


def test_a_config_that_is_no_object_is_refused(folder):
    (folder / "config.json").write_text("[1, 2]")
    refused(folder, "should hold an object")


def test_yaml_holds_what_was_written(tmp_path):
    config = {"lr": 1e-5, "name": "Zoë", "sizes": [0, 1], "nothing": None, "flag": True, "part": {"a": "1e3"}}
    write_yaml(tmp_path / "config.yaml", config)
    assert read_yaml(tmp_path / "config.yaml") == config
    assert "Zoë" in (tmp_path / "config.yaml").read_text("utf-8")


@pytest.mark.parametrize("content", ["a: [", "- 1", ""])
def test_what_is_no_configuration_is_named(tmp_path, content):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.yaml: cannot be read"):
        read_yaml(tmp_path / "config.yaml")


def test_a_run_says_what_made_it():
    about = about_this_run("train.reward", seed=3)
    assert about["seed"] == 3
    assert about["command"].startswith("python -m train.reward")
    assert about["date"].endswith("+00:00")
    assert "command" not in about_this_run()
    assert {"python", "torch", "fsa"} <= about["versions"].keys()
    assert yaml.safe_load(json.dumps(about)) == about
