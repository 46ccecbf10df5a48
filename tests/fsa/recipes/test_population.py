"""One model for everybody out of a run's first stage."""

import torch

from fsa.cli.recipes import run_recipe
from fsa.recipes.population import POPULATION, population_model
from fsa.recipes.reward import train_reward
from tests.fsa.recipes.test_reward_stages import arguments, people

__all__ = ["people"]

CHOICE = {"prompt": "p0", "options": [[0.5, 0.1], [-0.5, 0.2]], "chosen": 1}
OPTIONS = [(0.3, -0.2), (0.1, 0.9)]


def test_it_rewards_as_the_first_stage_did_whatever_was_chosen(people):
    model = run_recipe(train_reward, arguments(people, people / "run"))
    pooled = population_model(model, people / "run")
    stranger, person = pooled.for_users([[], [CHOICE] * 3])
    rewards = stranger.score("p0", OPTIONS)
    assert rewards.stderr is None
    assert person.score("p0", OPTIONS).reward.tolist() == rewards.reward.tolist()
    rows = torch.from_numpy(model.projection.apply(model.features.extract(["p0"] * 2, OPTIONS), OPTIONS))
    wanted = model.encoder.population(rows.double()).squeeze(-1)
    by = wanted[0].item() / rewards.reward[0]  # the run's own are scaled by a look at validation
    torch.testing.assert_close(wanted, by * torch.tensor(rewards.reward.tolist()).double(), rtol=1e-6, atol=0)
    assert rewards.reward[0] != rewards.reward[1]
    weights = torch.load(people / "run" / POPULATION / "checkpoints" / "best.ckpt", weights_only=True)
    for name, weight in pooled.likelihood.state_dict().items():
        assert torch.equal(weight.float(), weights["state_dict"][f"likelihood.{name}"])


def test_a_run_without_that_stage_has_none(people):
    alone = [*arguments(people, people / "alone"), "--config", "configs/baseline/pooled.yaml"]
    model = run_recipe(train_reward, alone)
    assert population_model(model, people / "alone") is None
