"""What every method is asked: frozen episodes, places apart, the Bayes limit, conflicting contexts."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from eval.suite.evaluation import SHARES, EvaluationSet, conflicting_episodes
from eval.suite.plan import resolved
from fsa.recipes.measuring.bayes import bayes_correct
from fsa.recipes.measuring.runs import Settings
from tests.factories.suite import SANDBOX, SYNTHETIC, plan_of

MANY = Settings([0, 1, 3], "test", episodes=600, max_targets=10, seed=1, trust_remote_code=True)


def asking_of(dataset: dict, settings: Settings) -> EvaluationSet:
    plan = plan_of({"data": dataset})
    return EvaluationSet.of(resolved(plan.arguments(plan.datasets["data"])), settings)


@pytest.fixture(scope="module")
def synthetic() -> EvaluationSet:
    return asking_of(SYNTHETIC | {"set": {"source.num_users": 2000, "source.choices_per_user": 40}}, MANY)


@pytest.fixture(scope="module")
def sandbox() -> EvaluationSet:
    return asking_of(SANDBOX, replace(MANY, episodes=30))


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_the_bayes_limit_is_that_of_the_closed_form(synthetic, seen):
    at = synthetic.main
    found = bayes_correct(at.truth, at.table, at.episodes.with_context(seen))
    assert len(found) == 6000
    assert_allclose(found.mean(), 1 - 2.0**-seen / 4, atol=0.015)  # see Synthetic


def test_the_bayes_limit_does_not_depend_on_how_many_are_computed_at_once(synthetic):
    at, episodes = synthetic.main, synthetic.main.episodes.with_context(1)
    assert_array_equal(
        bayes_correct(at.truth, at.table, episodes), bayes_correct(at.truth, at.table, episodes, at_once=7)
    )


def test_contexts_hold_the_share_of_conflicting_choices_that_they_should(synthetic):
    at, size = synthetic.main, 4
    rewards = at.truth.rewards
    pairs = at.table.option.reshape(-1, 2)
    differs = np.diff(rewards[:, pairs], axis=-1)[..., 0]
    conflicts = np.sign(differs[0]) != np.sign(differs[1])
    targets = []
    for share, episodes in conflicting_episodes(at, size):
        assert len(episodes.index) > 400
        assert_allclose(conflicts[episodes.context].mean(1), share)
        assert not any(np.isin(c, t).any() for c, t in zip(episodes.context, episodes.target, strict=True))
        targets.append(episodes.target)
        # One conflicting choice tells the two types apart, and nothing else does.
        assert_allclose(bayes_correct(at.truth, at.table, episodes).mean(), 1 if share else 0.75, atol=0.02)
    assert len(targets) == len(SHARES)
    assert all((target == targets[0]).all() for target in targets)


def test_new_people_and_new_prompts_are_measured_together_and_apart(sandbox):
    splits = {name: at.table for name, at in sandbox.places.items()}
    assert list(splits) == ["new people, new prompts", "new people", "new prompts"]
    both, people, prompts = splits.values()

    def users(table):
        return set(table.users.to_pylist())

    def asked(table):
        return set(np.unique(table.prompt).tolist())

    assert users(people) <= users(both)
    assert not users(prompts) & users(both)
    assert asked(prompts) == asked(both)
    assert not asked(people) & asked(both)
    assert min(map(len, splits.values())) > 50


def test_what_is_said_of_the_data_is_what_a_table_needs(sandbox, synthetic):
    about = sandbox.about()
    assert about["where"][0] == about["claim"] == "new people, new prompts"
    assert (about["fixed_users"], about["one_prompt"]) == (False, False)
    assert "long" in about["groups"]
    assert synthetic.about()["one_prompt"]
