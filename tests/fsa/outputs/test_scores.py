import numpy as np
import pytest

from fsa.outputs.scores import Scores
from tests.factories.reward_models import choices_of, numbers, part, small_model

SPREAD = part("encoders.deep_set.DeepSet", hidden=[8], spread=True)


def test_a_point_belief_has_rewards_alone():
    scores = small_model().for_user(choices_of(0, 3)).score("", numbers(1, 3))
    assert isinstance(scores, Scores)
    assert scores.reward.shape == (3,)
    assert (scores.stderr, scores.low, scores.high) == (None, None, None)


def test_ends_that_nobody_gave_are_unknown():
    assert Scores(np.zeros(1), None).low is None


@pytest.mark.parametrize("options", [{}, {"encoder": SPREAD}], ids=["point", "spread"])
def test_probabilities_of_a_pair_are_those_of_prefers_in_any_company(options):
    rewards = small_model(**options)
    people = rewards.for_users([choices_of(i, 3) for i in range(3)])
    asked = [numbers(1, 2), numbers(1, 5), numbers(1, 1)]
    pair, five, one = rewards.score_batch(people, [""] * 3, asked, probabilities=True)
    assert pair.probability[0] == pytest.approx(people[0].prefers("", *asked[0]), abs=1e-12)
    assert five.probability.shape == (5,)
    assert five.probability.sum() == pytest.approx(1)
    assert one.probability.tolist() == [1.0]
    assert people[0].score("", asked[0]).probability is None


def test_a_doubtful_belief_makes_probabilities_more_even_than_its_mean_rewards():
    person, options = small_model(encoder=SPREAD).for_user(choices_of(1, 2)), numbers(4, 3)
    [scores] = person.model.score_batch([person], [""], [options], probabilities=True)
    odds = np.exp(scores.reward - scores.reward.max())
    assert scores.probability.max() < (odds / odds.sum()).max() - 1e-3
