import numpy as np

from fsa.outputs.scores import Scores
from tests.factories.reward_models import choices_of, numbers, small_model


def test_a_point_belief_has_rewards_alone():
    scores = small_model().for_user(choices_of(0, 3)).score("", numbers(1, 3))
    assert isinstance(scores, Scores)
    assert scores.reward.shape == (3,)
    assert (scores.stderr, scores.low, scores.high) == (None, None, None)


def test_ends_that_nobody_gave_are_unknown():
    assert Scores(np.zeros(1), None).low is None
