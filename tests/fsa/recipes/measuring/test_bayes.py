"""The Bayes limit against sums written out by hand."""

import itertools
import math

import numpy as np
import pytest

from fsa.choices.source import Truth
from fsa.choices.synthetic import Synthetic
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.recipes.measuring.bayes import BayesPredictor
from fsa.types import Choice, Pick, Ranking, Tie

REWARDS = np.array([[0.3, -1.2, 2.0, 0.7], [1.1, 0.4, -0.5, 0.0]])  # of items a b c d, two tastes
PRIOR = np.log([0.25, 0.75])


def table_of(*outcomes, num_options=4):
    """One user's choices among the same options, item i with reward REWARDS[:, i]."""
    options = tuple((float(i),) for i in range(num_options))
    return ChoiceTable.from_choices([Choice("ann", "", options, outcome) for outcome in outcomes])


def log_likelihood(*outcomes, num_options=4, **rule):
    """Log-probability of each outcome under each taste."""
    table = table_of(*outcomes, num_options=num_options)
    return BayesPredictor(Truth(REWARDS, PRIOR, **rule), table).log_likelihood(np.arange(len(outcomes)))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_pick_is_a_softmax():
    got = log_likelihood(Pick(2))
    weights = np.exp(REWARDS)
    np.testing.assert_allclose(got, [np.log(weights[:, 2] / weights.sum(1))])


def test_a_ranking_is_a_product_of_softmaxes():
    got = log_likelihood(Ranking((2, 0, 3, 1)))[0]
    for taste, (a, b, c, d) in enumerate(np.exp(REWARDS)):
        assert got[taste] == pytest.approx(math.log(c / (a + b + c + d) * a / (a + b + d) * d / (b + d)))


def test_a_partial_ranking_stops_early():
    got = log_likelihood(Ranking((2, 0)))[0]
    for taste, (a, b, c, d) in enumerate(np.exp(REWARDS)):
        assert got[taste] == pytest.approx(math.log(c / (a + b + c + d) * a / (a + b + d)))


def test_an_outcome_has_the_same_probability_beside_any_other():
    outcomes = [Pick(1), Ranking((2, 0, 3, 1)), Ranking((0, 3)), Pick(3)]
    together = log_likelihood(*outcomes)
    alone = [log_likelihood(outcome)[0] for outcome in outcomes]
    np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_rankings_sum_to_one(size):
    outcomes = [Ranking(order) for order in itertools.permutations(range(size))]
    got = log_likelihood(*outcomes, num_options=size)
    np.testing.assert_allclose(np.exp(got).sum(0), 1)


@pytest.mark.parametrize("size", [2, 3])
def test_picks_and_the_tie_sum_to_one(size):
    outcomes = [*map(Pick, range(size)), Tie(tuple(range(size)))]
    got = log_likelihood(*outcomes, num_options=size, tie_weight=0.7)
    np.testing.assert_allclose(np.exp(got).sum(0), 1)


def test_davidsons_tie():
    got = log_likelihood(Tie((0, 1)), num_options=2, tie_weight=0.7)[0]
    for taste, (a, b, *_) in enumerate(np.exp(REWARDS)):
        assert got[taste] == pytest.approx(
            math.log(0.7 * math.sqrt(a * b) / (a + b + 0.7 * math.sqrt(a * b)))
        )


@pytest.mark.parametrize(("tie", "tie_weight"), [(Tie((0, 1, 2, 3)), 0.0), (Tie((0, 1)), 0.7)])
def test_impossible_ties_raise(tie, tie_weight):
    with pytest.raises(ConfigError, match="ties that this truth rules out"):
        log_likelihood(tie, tie_weight=tie_weight)


def test_prediction_is_bayes_rule_written_out():
    # Context: a over b, seen twice. Target: c or d.
    table = ChoiceTable.from_choices(
        [Choice("ann", "", ((0.0,), (1.0,)), Pick(0))] * 2 + [Choice("ann", "", ((2.0,), (3.0,)), Pick(0))]
    )
    got = BayesPredictor(Truth(REWARDS, PRIOR), table).predict(np.array([[0, 1, -1]]), np.array([[2, -1]]))
    joint = [0.25 * sigmoid(0.3 + 1.2) ** 2, 0.75 * sigmoid(1.1 - 0.4) ** 2]
    first = (joint[0] * sigmoid(2.0 - 0.7) + joint[1] * sigmoid(-0.5 - 0.0)) / sum(joint)
    np.testing.assert_allclose(got[0, 0], [first, 1 - first])
    np.testing.assert_array_equal(got[0, 1], [0, 0])  # padding


def test_large_rewards_stay_finite():
    predictor = BayesPredictor(Truth(REWARDS * 1e8, PRIOR), table_of(Pick(2), Pick(0)))
    got = predictor.predict(np.array([[0]]), np.array([[1]]))
    assert np.isfinite(predictor.log_likelihood(np.arange(2))).all()
    # c is certain under the first taste and impossible under the second; the first then picks c again.
    np.testing.assert_array_equal(got[0, 0], [0, 0, 1, 0])


@pytest.mark.parametrize(("n", "percent"), [(0, 75.0), (1, 87.5), (3, 96.875), (5, 99.21875)])
def test_bayes_accuracy_of_the_synthetic_users(n, percent):
    source = Synthetic(num_users=8000, choices_per_user=6, seed=3)
    table = source.load()
    rows = np.arange(len(table)).reshape(8000, 6)
    best = BayesPredictor(source.truth(table), table).predict(rows[:, :n], rows[:, 5:])[:, 0].argmax(-1)
    right = table.place.reshape(-1, 2)[rows[:, 5], best] == 0
    # Twins make half as many independent episodes; four standard errors.
    assert 100 * right.mean() == pytest.approx(
        percent, abs=400 * math.sqrt(percent / 100 * (1 - percent / 100) / 4000)
    )
