"""Scores of many requests at once."""

import math

import numpy as np
import pytest

from fsa.outputs.reward_model import Scores
from fsa.serve.people import Asked, People
from fsa.serve.problems import NotFound, Unprocessable
from fsa.serve.scoring import ToScore, score_all, scored, squashed
from fsa.serve.store.people import PeopleStore
from tests.fsa.serve.small import TEXTS, choices, spread_rewards, text_rewards


@pytest.fixture
def people(engine) -> People:
    return People(spread_rewards(), PeopleStore(engine), kept=10)


def test_a_batch_scores_as_the_library_does_one_at_a_time(people):
    items = [ToScore(Asked("t", None, tuple(choices(n))), "Tea?", TEXTS[: 1 + n]) for n in range(4)]
    for n, answer in enumerate(score_all(people, items)):
        alone = people.model.for_user(choices(n)).score("Tea?", TEXTS[: 1 + n])
        np.testing.assert_allclose(answer.reward, alone.reward, atol=1e-12)
        np.testing.assert_allclose(answer.stderr, alone.stderr, atol=1e-12)


def test_what_is_wrong_with_one_request_is_its_own_answer(people):
    good, numbers = ToScore(Asked("t"), "", TEXTS[:2]), ToScore(Asked("t"), "", [(1.0, 2.0)])
    answers = score_all(people, [good, numbers, ToScore(Asked("t", "zoe"), "", TEXTS[:1]), good])
    assert answers[0] == answers[3]
    assert "measures are of text" in str(answers[1])
    assert isinstance(answers[2], NotFound)


def test_rank_and_interval_by_hand():
    ends = np.array([0.5, -1.0, -1.0, -2.0]), np.array([2.0, 1.0, 1.0, 0.0])
    given = Scores(np.array([1.0, 0.0, 0.0, -1.0]), np.full(4, 0.5), *ends, np.array([0.4, 0.3, 0.2, 0.1]))
    said = scored(given)
    assert said.probability == [0.4, 0.3, 0.2, 0.1]
    assert said.rank == [1, 2, 2, 4]
    assert (said.low, said.high) == ([0.5, -1.0, -1.0, -2.0], [2.0, 1.0, 1.0, 0.0])


def test_a_point_belief_has_no_stderr(engine):
    people = People(text_rewards(), PeopleStore(engine), kept=10)
    far_apart = ["w " * 400_000, "w"]
    [said] = score_all(people, [ToScore(Asked("t", None, tuple(choices(2))), "", far_apart)])
    assert said.stderr is None
    assert said.low == said.high == said.reward
    assert sum(said.probability) == pytest.approx(1)


def test_a_reward_that_is_not_finite_is_a_problem_not_a_number():
    rewards, chances = np.array([np.inf, 0.0]), np.array([0.5, 0.5])
    assert isinstance(scored(Scores(rewards, None, probability=chances)), Unprocessable)
    assert isinstance(scored(Scores(chances, None, probability=np.full(2, np.nan))), Unprocessable)


@pytest.mark.parametrize(("reward", "share"), [(0, 0.5), (math.log(3), 0.75), (-1e6, 0.0), (1e6, 1.0)])
def test_squashed_is_the_odds_against_nothing(reward, share):
    assert squashed(reward) == pytest.approx(share)
