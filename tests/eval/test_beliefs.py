from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from eval.beliefs import (
    COVERAGE,
    GAIN,
    LogOdds,
    MeanAlone,
    bayes_log_odds,
    beliefs,
    middle,
    true_log_odds,
)
from fsa.choices.sandbox import Sandbox
from fsa.encoders.taste_posterior import TastePosterior
from fsa.models.taste_reward import TasteReward
from fsa.recipes.measuring.runs import Data, Settings
from fsa.reports.intervals import EXCESS
from fsa.types import ChoiceBatch


def pairs(users: int, n: int) -> ChoiceBatch:
    rows = torch.arange(users * n).view(users, n)
    return ChoiceBatch(torch.randn(users, n, 2, 3), torch.tensor([0, 1]).expand(users, n, 2), rows)


@pytest.fixture
def parts() -> SimpleNamespace:
    torch.manual_seed(0)
    encoder, scorer = TastePosterior(3, 2, std=1.0).eval(), TasteReward(3, 2).eval()
    scorer.bind(encoder)
    return SimpleNamespace(encoder=encoder, scorer=scorer)


def test_the_truth_is_the_reward_gap_under_the_user_s_own_type():
    sandbox = Sandbox(num_prompts=4, num_users=10, choices_per_user=3)
    table = sandbox.load()
    rows = np.arange(len(table))
    rewards = sandbox.truth(table).rewards  # [t, m]; ten types, and users take turns
    of_user = np.array([int(name.split("-")[1]) for name in table.users.to_pylist()])[table.user]
    pair = table.option.reshape(-1, 2)
    expected = rewards[of_user, pair[:, 0]] - rewards[of_user, pair[:, 1]]
    assert np.abs(expected).max() > 3
    assert_allclose(true_log_odds(sandbox, table, rows), expected, atol=1e-6)


def test_inside_is_between_the_ends():
    zeros = np.zeros(3, int)
    found = LogOdds(
        np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.1, 0.0]), np.array([2.0, 3.0, 3.0]), zeros, zeros
    )
    assert found.is_inside.tolist() == [True, False, True]


def test_the_middle_leaves_out_half_of_the_rest_on_either_side():
    values, weight = (
        np.array([[3.0, 1, 4, 2]] * 2),
        np.array([[0.85, 0.04, 0.05, 0.06], [0.3, 0.4, 0.2, 0.1]]),
    )
    low, high = middle(values, weight)
    assert (low.tolist(), high.tolist()) == ([2, 1], [3, 4])


def test_of_ten_equally_likely_kinds_the_middle_holds_all_and_of_a_continuum_nine_tenths():
    for tastes, expected, tolerance in (("types", 1.0, 0.0), ("continuous", 0.9, 0.02)):
        sandbox = Sandbox(num_prompts=40, num_users=200, choices_per_user=20, tastes=tastes)
        table = sandbox.load()
        episodes = Settings([0, 1], episodes=200, max_targets=10).frozen(table)
        at = Data("sandbox", table, table, sandbox.truth(table), episodes, False)
        assert bayes_log_odds(at, sandbox, 0).is_inside.mean() == pytest.approx(expected, abs=tolerance)


@torch.no_grad()
def test_a_mean_alone_is_the_belief_s_mean_without_doubt(parts):
    context = pairs(2, 5)
    alone = MeanAlone(parts.encoder)(context)
    assert torch.equal(alone.mean, parts.encoder(context).mean)
    assert not alone.std.any()


@pytest.mark.slow
def test_the_report_has_every_number_of_the_sandbox(tmp_path, monkeypatch):
    small = ["--config", "configs/reward/sandbox.yaml", "--source.num_prompts", "40"]
    small += ["--source.num_users", "40", "--source.choices_per_user", "12", "--loop.max_steps", "4"]
    small += ["--episodes.validation_episodes", "20"]
    monkeypatch.setattr("eval.beliefs._DATA", {"sandbox, types": small})
    report = beliefs(seeds=1, context_sizes=[1, 3], episodes=20, out=str(tmp_path / "beliefs"))
    found = {(row.method, row.metric, row.context_size) for row in report.rows if row.group == "all"}
    for size in (1, 3):
        assert {("whole belief", metric, size) for metric in (COVERAGE, EXCESS, GAIN, "nll")} <= found
        assert {("its mean alone", EXCESS, size), ("Bayes limit", COVERAGE, size)} <= found
    coverage = [row.value for row in report.rows if row.metric == COVERAGE]
    assert all(0 <= value <= 1 for value in coverage)
