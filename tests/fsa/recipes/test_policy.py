"""The recipe of policies end to end, on runs of a few steps of a tiny random model."""

from pathlib import Path

import pytest
import torch
from lightning import LightningModule, Trainer
from transformers import AutoModelForCausalLM

from fsa import Policy, RewardModel
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.models.policy import PolicyScorer
from fsa.recipes.policy import train_policy
from fsa.recipes.reward import train_reward
from fsa.training.checkpoints import Checkpoints
from tests.fsa.conftest import bert, llama, own_cache, tokenizer

__all__ = ["bert", "llama", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


def options(backbone: Path, reader: Path, scorer: str, out: Path, steps: int = 4) -> list[str]:
    return [
        "--source=fsa.choices.sandbox.Sandbox",
        "--source.num_prompts=24",
        "--source.num_users=24",
        "--source.choices_per_user=10",
        f"--features.backbone={reader}",
        "--features.reads=response",
        "--projection.num_components=4",
        f"--scorer={scorer}",
        f"--scorer.backbone={backbone}",
        "--scorer.conditioning=fsa.conditioning.lora_gain.LoraGain",
        "--episodes.users_per_step=4",
        "--episodes.max_context=4",
        "--episodes.max_targets=2",
        "--episodes.validation_episodes=6",
        "--episodes.context_sizes=0,3",
        f"--loop.max_steps={steps}",
        "--loop.validate_every=2",
        "--loop.progress=false",
        "--loop.accelerator=cpu",
        f"--out={out}",
    ]


CHOICES = [{"prompt": f"w{i}", "chosen": f"w{i + 1} w9", "rejected": "w3 w4 w5"} for i in range(4)]


ENCODERS = pytest.mark.parametrize(
    "encoder", ["deep_set.DeepSet", "taste_posterior.TastePosterior"], ids=["DeepSet", "the default's"]
)


@ENCODERS
def test_a_policy_is_trained_saved_and_opened(llama, bert, tmp_path, encoder):
    given = options(llama, bert, "fsa.models.policy.PolicyScorer", tmp_path / "run")
    trained = run_recipe(train_policy, [*given, f"--encoder=fsa.encoders.{encoder}"])
    assert isinstance(trained, Policy)
    opened = Policy.from_pretrained(tmp_path / "run")
    assert isinstance(opened.scorer, PolicyScorer)
    mine = trained.for_user(CHOICES).score("w1 w2", ["w3", "w4 w5"]).reward
    assert mine.tolist() == opened.for_user(CHOICES).score("w1 w2", ["w3", "w4 w5"]).reward.tolist()
    assert abs(mine).max() > 0  # it has left its reference
    assert not torch.equal(trained.for_user(CHOICES).belief.mean, trained.for_user([]).belief.mean)
    assert opened.for_user(CHOICES).generate(["w1"], max_new_tokens=3)
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert not [name for name in checkpoint["state_dict"] if "base_layer" in name]  # no second backbone


def test_a_training_run_loads_its_backbone_once(llama, bert, tmp_path, monkeypatch):
    loaded = []
    load = AutoModelForCausalLM.from_pretrained

    def count(folder, **options):
        loaded.append(Path(folder))
        return load(folder, **options)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", count)
    run_recipe(train_policy, options(llama, bert, "fsa.models.policy.PolicyScorer", tmp_path / "run"))
    assert loaded == [llama]


def test_a_resumed_policy_has_the_weights_of_an_uninterrupted_one(llama, bert, tmp_path, monkeypatch):
    scorer = "fsa.models.policy.PolicyScorer"
    whole = run_recipe(train_policy, options(llama, bert, scorer, tmp_path / "whole"))
    validated = Checkpoints.on_validation_end

    def cut_off(self: Checkpoints, trainer: Trainer, module: LightningModule) -> None:
        validated(self, trainer, module)
        raise KeyError("cut off after two of four steps")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_validation_end", cut_off)
        with pytest.raises(KeyError, match="cut off"):
            run_recipe(train_policy, options(llama, bert, scorer, tmp_path / "part"))
    resumed = run_recipe(train_policy, [f"--resume={tmp_path / 'part'}"])
    mine, theirs = whole.state_dict(), resumed.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@ENCODERS
def test_a_reward_from_the_whole_model_is_trained_saved_and_opened(llama, bert, tmp_path, encoder):
    given = options(llama, bert, "fsa.models.reward_lm.RewardLM", tmp_path / "run")
    trained = run_recipe(train_reward, [*given, f"--encoder=fsa.encoders.{encoder}"])
    opened = RewardModel.from_pretrained(tmp_path / "run")
    person = opened.for_user(CHOICES)
    rewards = person.score("w1 w2", ["w3", "w4 w5"]).reward
    assert rewards.tolist() == trained.for_user(CHOICES).score("w1 w2", ["w3", "w4 w5"]).reward.tolist()
    assert rewards[0] != rewards[1]
    assert 0 < person.prefers("w1", "w3", "w4 w5") < 1


def test_the_encoder_of_a_reward_run_can_be_kept_as_it_is(llama, bert, tmp_path):
    rewards = run_recipe(
        train_reward,
        [
            o
            for o in options(llama, bert, "fsa.models.bilinear.Bilinear", tmp_path / "reward")
            if "scorer." not in o
        ],
    )
    kept = run_recipe(
        train_policy,
        [
            *options(llama, bert, "fsa.models.policy.PolicyScorer", tmp_path / "kept"),
            f"--encoder_from={tmp_path / 'reward'}",
            "--train_encoder=false",
            "--d_belief=7",  # that of the run counts
        ],
    )
    assert kept.config["d_belief"] == rewards.config["d_belief"]
    mine, theirs = rewards.encoder.state_dict(), kept.encoder.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_language_scorer_needs_a_language_model(bert, tmp_path):
    with pytest.raises(ConfigError):
        run_recipe(train_policy, options(bert, bert, "fsa.models.policy.PolicyScorer", tmp_path / "run"))
