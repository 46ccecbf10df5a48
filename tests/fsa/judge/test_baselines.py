"""Random scores and reward models."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fsa.errors import ConfigError
from fsa.judge.baselines import RandomJudge, RewardJudge, logistic
from fsa.judge.scores import Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from tests.factories.labelled import made_up

# Small ones, for the family's contract.
EXAMPLES = {
    "RandomJudge": RandomJudge,
    "RewardJudge": lambda: RewardJudge(users={"brief": {"short": 1.0}}),
}


def test_logistic_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(40, 3)) + 0.5
    # Theirs is the sum of losses times C plus half the squared weights, on both orders of every pair.
    theirs = LogisticRegression(C=1 / (0.2 * 80), fit_intercept=False, tol=1e-10, max_iter=10_000)
    theirs.fit(np.concatenate([x, -x]), np.repeat([1, 0], 40))
    np.testing.assert_allclose(logistic(x, 0.2), theirs.coef_[0], atol=1e-6)


def test_a_reward_model_prefers_what_its_user_does() -> None:
    judge = RewardJudge(users={"brief": {"short": 1.0}})
    judge.learn(made_up(60))
    (scores,) = judge.score([Probe("k", "p", ("w1 " * 30, "w1", "w1 w2 w3"))])
    assert scores.attributes == ("reward",)
    assert select(scores, AlignmentTarget({"reward": 1.0})).index == 1


def test_users_who_want_opposite_things_cancel() -> None:
    judge = RewardJudge(users={"brief": {"short": 1.0}, "long": {"long": 1.0}})
    judge.learn(made_up(60))
    (scores,) = judge.score([Probe("k", "p", ("w1 " * 30, "w1"))])
    np.testing.assert_allclose(scores.mean, 0.5, atol=1e-9)


def test_a_user_who_is_never_decided_teaches_nothing() -> None:
    judge = RewardJudge(users={"both": {"short": 1.0, "long": 1.0}})
    with pytest.raises(ConfigError, match="not indifferent, came none"):
        judge.learn(made_up(10))


def test_random_scores_are_seeded_and_pick_each_as_often() -> None:
    judge = RandomJudge(seed=1)
    judge.learn(made_up(1))
    probes = [each.probe for each in made_up(2000, seed=3)]
    scores = judge.score(probes)
    np.testing.assert_array_equal(judge.score(probes[7:8])[0].mean, scores[7].mean)
    picked = np.mean([select(one, AlignmentTarget({"long": 0.25})).index == 0 for one in scores])
    assert abs(picked - 0.5) < 0.045  # four standard errors of 2,000 coin flips
