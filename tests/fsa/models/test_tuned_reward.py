"""A head on frozen features, and the same head on its backbone's hidden states with adapters."""

from pathlib import Path

import pytest
import torch
from lightning import LightningModule, Trainer
from torch.testing import assert_close

from fsa import RewardModel
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.reward import train_reward
from fsa.runs.folder import read_json
from fsa.training.checkpoints import MONITORED, Checkpoints
from fsa.training.module import ChoiceModule
from tests.fsa.conftest import bert, llama, own_cache, tokenizer

__all__ = ["bert", "llama", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")

CHOICES = [{"prompt": f"w{i}", "chosen": f"w{i + 1} w9", "rejected": "w3 w4 w5"} for i in range(4)]
OFFERED = ["w3", "w4 w5", "w7 w8 w9 w1 w2", "w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13"]
COMMON = [
    "--source=fsa.choices.sandbox.Sandbox",
    "--source.num_prompts=24",
    "--source.num_users=24",
    "--source.choices_per_user=10",
    "--episodes.users_per_step=4",
    "--episodes.max_context=4",
    "--episodes.max_targets=2",
    "--episodes.validation_episodes=6",
    "--episodes.context_sizes=0,3",
    "--loop.validate_every=2",
    "--loop.progress=false",
    "--loop.accelerator=cpu",
]


def head(backbone: Path, out: Path, pooling: str = "last+mean", reads: str = "response") -> RewardModel:
    """The default on a backbone's frozen features, of a few steps."""
    return run_recipe(
        train_reward,
        [
            *COMMON,
            f"--features.backbone={backbone}",
            f"--features.pooling={pooling}",
            f"--features.reads={reads}",
            "--features.max_tokens=10",
            "--projection.num_components=6",
            "--projection.whiten=false",
            "--encoder=fsa.encoders.taste_posterior.TastePosterior",
            "--scorer=fsa.models.taste_reward.TasteReward",
            "--likelihood=fsa.likelihoods.label_noise.LabelNoise",
            "--likelihood.base=fsa.likelihoods.btl.BradleyTerryLuce",
            "--likelihood.learn=true",
            "--optimizer.lr=0.02",
            "--loop.max_steps=20",
            "--loop.validate_every=10",
            f"--out={out}",
        ],
    )


def tuning(backbone: Path, start: Path, out: Path, steps: int = 4, lr: float = 0.05) -> list[str]:
    return [
        *COMMON,
        f"--encoder_from={start}",
        "--train_encoder=false",
        "--scorer=fsa.models.tuned_reward.TunedReward",
        f"--scorer.backbone={backbone}",
        "--scorer.conditioning=fsa.conditioning.lora_gain.LoraGain",
        "--scorer.conditioning.std=0.5",
        f"--optimizer.lr={lr}",
        f"--loop.max_steps={steps}",
        f"--out={out}",
    ]


@pytest.mark.parametrize(
    ("pooling", "reads"),
    [("last+mean", "response"), ("mean", "prompt+response"), ("last", "prompt+response")],
)
def test_before_its_first_step_it_gives_the_rewards_of_its_head(llama, tmp_path, pooling, reads):
    before = head(llama, tmp_path / "head", pooling, reads)
    # A rate of zero leaves the adapters at zero.
    run_recipe(train_reward, tuning(llama, tmp_path / "head", tmp_path / "run", steps=2, lr=0.0))
    after = RewardModel.from_pretrained(tmp_path / "run")
    for choices in ([], CHOICES):
        mine, theirs = (model.for_user(choices) for model in (after, before))
        assert_close(mine.belief.mean, theirs.belief.mean, atol=0, rtol=0)
        ours, wanted = mine.score("w1 w2", OFFERED), theirs.score("w1 w2", OFFERED)
        assert_close(torch.tensor(ours.reward), torch.tensor(wanted.reward), atol=1e-5, rtol=0)
        assert mine.prefers("w1", "w3", "w4 w5") == pytest.approx(
            theirs.prefers("w1", "w3", "w4 w5"), abs=1e-5
        )
        assert len(set(ours.reward.round(4))) == len(OFFERED)  # and not the same for all


def test_the_weights_before_the_first_step_are_a_candidate_for_the_best(llama, tmp_path, monkeypatch):
    def worse_each_time(self: ChoiceModule) -> None:
        self.log(MONITORED, torch.tensor(float(self.global_step)))

    head(llama, tmp_path / "head")
    monkeypatch.setattr(ChoiceModule, "on_validation_epoch_end", worse_each_time)
    run_recipe(train_reward, tuning(llama, tmp_path / "head", tmp_path / "run"))
    assert read_json(tmp_path / "run/meta.json")["best_step"] == 0
    mine, theirs = (RewardModel.from_pretrained(tmp_path / name) for name in ("run", "head"))
    ours, wanted = (model.for_user(CHOICES).score("w1 w2", OFFERED).reward for model in (mine, theirs))
    assert_close(torch.tensor(ours), torch.tensor(wanted), atol=1e-5, rtol=0)
    assert float(mine.likelihood.rate) == pytest.approx(float(theirs.likelihood.rate), abs=1e-6)


def test_training_moves_the_adapters_and_the_rewards_and_not_the_reader(llama, tmp_path):
    before = head(llama, tmp_path / "head")
    options = [
        o for o in tuning(llama, tmp_path / "head", tmp_path / "run", lr=1e-3) if "validate_every" not in o
    ]
    trained = run_recipe(train_reward, [*options, "--loop.validate_every=4"])
    last = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    moved = [name for name, weight in last.items() if "lora_B" in name and weight.abs().max() > 0]
    assert moved
    assert len(moved) == sum("lora_B" in name for name in last)
    mine, theirs = trained.encoder.state_dict(), before.encoder.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_resumed_run_has_the_weights_of_an_uninterrupted_one(llama, tmp_path, monkeypatch):
    head(llama, tmp_path / "head")
    whole = run_recipe(train_reward, tuning(llama, tmp_path / "head", tmp_path / "whole", lr=1e-3))
    validated = Checkpoints.on_validation_end

    def cut_off(self: Checkpoints, trainer: Trainer, module: LightningModule) -> None:
        validated(self, trainer, module)
        if trainer.global_step:
            raise KeyError("cut off after two of four steps")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_validation_end", cut_off)
        with pytest.raises(KeyError, match="cut off"):
            run_recipe(train_reward, tuning(llama, tmp_path / "head", tmp_path / "part", lr=1e-3))
    resumed = run_recipe(train_reward, [f"--resume={tmp_path / 'part'}"])
    mine, theirs = whole.state_dict(), resumed.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    states = [
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True) for name in ("whole", "part")
    ]
    assert all(
        torch.equal(states[0]["state_dict"][n], states[1]["state_dict"][n]) for n in states[0]["state_dict"]
    )


def test_it_needs_a_head_of_its_own_backbone(llama, bert, tmp_path):
    with pytest.raises(ConfigError, match="encoder-from"):
        run_recipe(
            train_reward, [o for o in tuning(llama, tmp_path, tmp_path / "run") if "encoder_from" not in o]
        )
    head(bert, tmp_path / "head")
    with pytest.raises(ConfigError, match="its own backbone"):
        run_recipe(train_reward, tuning(llama, tmp_path / "head", tmp_path / "run"))
