"""To the hub and back, with the hub's own client captured."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch

import fsa.runs.hub as hub
import fsa.runs.opening as runs
from fsa import RewardModel
from fsa.errors import CheckpointError
from tests.factories.reward_models import choices_of, numbers, part, small_model


@pytest.fixture
def captured(tmp_path, monkeypatch):
    """What was asked of the hub, in order; uploads lie in `tmp_path / "hub"`."""
    asked = []

    class Api:
        def __init__(self, token=None):
            asked.append(("login", token))

        def create_repo(self, repo_id, **more):
            asked.append(("create", repo_id, more))

        def create_branch(self, repo_id, **more):
            asked.append(("branch", repo_id, more))

        def upload_folder(self, *, folder_path, **more):
            shutil.copytree(folder_path, tmp_path / "hub")
            asked.append(("upload", more))
            return SimpleNamespace(commit_url="https://hub/commit/1")

    monkeypatch.setattr(hub, "HfApi", Api)
    return asked


def test_push_makes_the_repository_and_uploads_a_saved_model(captured, tmp_path):
    model = small_model()
    url = model.push_to_hub("me/mine", private=True, token="t", commit_message="First")
    assert url == "https://hub/commit/1"
    assert captured == [
        ("login", "t"),
        ("create", "me/mine", {"private": True, "exist_ok": True}),
        ("upload", {"repo_id": "me/mine", "revision": None, "commit_message": "First"}),
    ]
    assert {path.name for path in (tmp_path / "hub").iterdir()} == {
        "config.json",
        "model.safetensors",
        "projection.safetensors",
        "README.md",
        "handler.py",
        "requirements.txt",
    }


def test_a_branch_is_made_where_one_is_named(captured):
    small_model().push_to_hub("me/mine", revision="v2")
    assert ("branch", "me/mine", {"branch": "v2", "exist_ok": True}) in captured
    assert captured[-1][1]["revision"] == "v2"


def test_a_pull_request_is_no_branch(captured):
    small_model().push_to_hub("me/mine", revision="refs/pr/1")
    assert [kind for kind, *_ in captured] == ["login", "create", "upload"]


def test_what_was_pushed_opens_as_the_same_model(captured, tmp_path, monkeypatch):
    model = small_model(seed=5)
    model.push_to_hub("me/mine")
    asked = []

    def download(repo_id, revision=None, **more):
        asked.append((repo_id, revision))
        return str(tmp_path / "hub")

    monkeypatch.setattr(runs, "snapshot_download", download)
    back = RewardModel.from_pretrained("me/mine", revision="v1")
    assert asked == [("me/mine", "v1")]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[name]), name
    scores = [one.for_user(choices_of(1, 4)).score("", numbers(3, 5)).reward for one in (model, back)]
    assert (scores[0] == scores[1]).all()


def test_a_model_from_the_hub_is_opened_strictly(captured, tmp_path, monkeypatch):
    small_model().push_to_hub("me/mine")
    monkeypatch.setattr(runs, "snapshot_download", lambda *args, **more: str(tmp_path / "hub"))
    config = json.loads((tmp_path / "hub" / "config.json").read_text())
    foreign = config | {"encoder": {"class_path": "os.system"}}
    (tmp_path / "hub" / "config.json").write_text(json.dumps(foreign))
    with pytest.raises(CheckpointError, match=r"encoder is os.system, which is not part of fsa"):
        RewardModel.from_pretrained("me/mine")
    larger = config | {"encoder": part("encoders.deep_set.DeepSet", hidden=[8])}
    (tmp_path / "hub" / "config.json").write_text(json.dumps(larger))
    with pytest.raises(CheckpointError, match=r"is missing|should be"):
        RewardModel.from_pretrained("me/mine")


def test_a_hub_id_that_is_not_there_is_one_error(monkeypatch):
    def refuse(*args, **more):
        raise OSError("no network")

    monkeypatch.setattr(runs, "snapshot_download", refuse)
    with pytest.raises(CheckpointError, match="me/mine: neither a run folder nor a model on the hub"):
        RewardModel.from_pretrained("me/mine")


def test_pushing_a_backbone_that_nobody_else_has_warns(captured, tmp_path, monkeypatch):
    model = small_model()
    model.config["features"] = part("features.hidden_state.HiddenState", backbone=str(tmp_path))
    with pytest.warns(UserWarning, match="the backbone of this model is the folder"):
        model.push_to_hub("me/mine")


def test_the_licence_of_a_hub_backbone_is_fetched_before_the_card_is_written(captured, monkeypatch):
    fetched = []
    monkeypatch.setattr(
        "fsa.runs.licences.hf_hub_download", lambda name, file, token: fetched.append((name, file, token))
    )
    model = small_model()
    model.config["features"] = part("features.hidden_state.HiddenState", backbone="some/model")
    model.push_to_hub("me/mine", token="t")
    assert fetched == [("some/model", "README.md", "t")]


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ("fsa.reward.0", "written by an older fsa: open it with that version, or train again"),
        ("fsa.reward.2", "written by a newer fsa: update fsa"),
        ("fsa.policy.1", "a model of another kind"),
        ("fsa.reward.x", "a model of another kind"),
        (7, "a model of another kind"),
        (None, "without a format it was written before there were any, or is no model of fsa"),
    ],
)
def test_a_model_of_another_layout_says_so_before_anything_else(tmp_path, found, what):
    small_model().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"format": found}
    (tmp_path / "config.json").write_text(json.dumps(config | {"projection": "gone", "encoder": None}))
    with pytest.raises(
        CheckpointError, match=f"format is {found!r}, this fsa reads 'fsa.reward.1'; .*{what}"
    ):
        RewardModel.from_pretrained(tmp_path)
