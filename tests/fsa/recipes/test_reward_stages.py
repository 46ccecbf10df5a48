"""The population's reward is trained first; a run cut off in either stage ends as if nothing had happened."""

import json

import numpy as np
import pytest
import torch

from fsa.cli.recipes import run_recipe
from fsa.interrupts import Interrupted
from fsa.recipes.population import POPULATION
from fsa.recipes.reward import train_reward
from fsa.training.module import ChoiceModule

STEPS = 8


def arguments(folder, out) -> list[str]:
    settings = {
        "loop.max_steps": STEPS,
        "loop.validate_every": 4,
        "loop.checkpoint_every": 2,
        "loop.progress": "false",
        "loop.patience": 0,
        "d_belief": 2,
        "num_samples": 2,
        "episodes.validation_episodes": 8,
        "episodes.users_per_step": 4,
        "source.path": folder / "people.jsonl",
        "out": out,
    }
    given = [f"--{name}={value}" for name, value in settings.items()]
    return ["--config", "configs/reward/choices.yaml", *given]


@pytest.fixture
def people(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        {
            "user": f"u{u}",
            "prompt": f"p{i}",
            "options": rng.normal(size=(2, 2)).round(3).tolist(),
            "chosen": u % 2,
        }
        for u in range(40)
        for i in range(6)
    ]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def cut_off_at(step: int, monkeypatch) -> None:
    """Kill the run at a training step counted over both stages."""
    seen, whole = [0], ChoiceModule.training_step

    def counted(self, *given):
        seen[0] += 1
        if seen[0] == step:
            raise Interrupted("cut off by a test")
        return whole(self, *given)

    monkeypatch.setattr(ChoiceModule, "training_step", counted)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, STEPS, STEPS + 1, STEPS + 6])
def test_a_run_cut_off_in_either_stage_ends_with_the_same_weights(people, monkeypatch, step):
    whole = run_recipe(train_reward, arguments(people, people / "whole"))
    with monkeypatch.context() as patch:
        cut_off_at(step, patch)
        with pytest.raises((Interrupted, SystemExit)):
            run_recipe(train_reward, arguments(people, people / "cut"))
    resumed = run_recipe(train_reward, ["--resume", str(people / "cut")])
    assert whole.state_dict().keys() == resumed.state_dict().keys()
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_the_population_stays_where_its_own_stage_left_it(people):
    model = run_recipe(train_reward, arguments(people, people / "run"))
    best = torch.load(people / "run" / POPULATION / "checkpoints" / "best.ckpt", weights_only=True)
    stage = {name: weight for name, weight in best["state_dict"].items() if name.startswith("scorer.map.")}
    assert len(stage) == 4
    mine = {name: model.state_dict()[name.replace("scorer.map.", "encoder.population.")] for name in stage}
    last = "scorer.map.deep.3.weight"
    by = mine[last].abs().max() / stage[last].abs().max()
    for name, weight in stage.items():  # rewards times one factor, after a look at validation
        factor = by if name in ("scorer.map.wide.weight", last) else 1.0
        torch.testing.assert_close(mine[name].float(), weight * factor, rtol=1e-6, atol=0, check_dtype=False)
