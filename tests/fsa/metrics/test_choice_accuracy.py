import math

import numpy as np
import pytest
import torch

from fsa.errors import ShapeError
from fsa.metrics.choice_accuracy import confidence, correctness, nll

PAIR = np.array([[0, 1]])


def test_right_wrong_and_undecided_score_one_zero_and_a_half():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    assert correctness(probabilities, PAIR.repeat(3, 0)).tolist() == [1, 0, 0.5]


def test_rounding_does_not_break_a_coin_flip():
    assert correctness(np.array([[0.5 - 1e-16, 0.5]]), PAIR).tolist() == [0.5]


def test_how_close_is_a_tie_can_be_said():
    almost = np.array([[0.50004, 0.49996]])  # 8e-5 apart
    assert correctness(almost, PAIR).tolist() == [1]
    assert correctness(almost, PAIR, same=1e-4).tolist() == [0.5]


def test_a_tied_prediction_gets_the_share_that_lies_on_tied_outcomes():
    # Predicted best: options 0, 1, 2 with a third each. Chosen: 0 and 3 tied. One third lies on a chosen one.
    probabilities = np.array([[0.3, 0.3, 0.3, 0.1]])
    assert correctness(probabilities, np.array([[0, 1, 1, 0]])) == pytest.approx(1 / 3)


def test_padding_is_never_predicted():
    probabilities = np.array([[0.6, 0.4, 9.0]])
    places = np.array([[0, 1, -1]])
    assert correctness(probabilities, places).tolist() == [1]
    assert confidence(probabilities, places).tolist() == [0.6]


def test_only_the_first_place_of_a_ranking_counts():
    assert correctness(np.array([[0.2, 0.3, 0.5]]), np.array([[2, 1, 0]])).tolist() == [1]


def test_nll_of_even_odds_is_log_k():
    log_probabilities = np.log(np.full((1, 4), 1 / 4))
    assert nll(log_probabilities, np.array([[1, 0, 1, 1]])) == pytest.approx(math.log(4))


def test_nll_equals_torch_on_picks():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 5, generator=generator, dtype=torch.float64)
    picked = torch.randint(5, (20,), generator=generator)
    places = 1 - torch.nn.functional.one_hot(picked, 5)
    expected = torch.nn.functional.cross_entropy(logits, picked, reduction="none")
    assert nll(logits.log_softmax(-1).numpy(), places.numpy()) == pytest.approx(expected.numpy())


def test_nll_of_a_tie_is_the_mean_of_its_options():
    log_probabilities = np.log(np.array([[0.5, 0.25, 0.25]]))
    # (log 2 + log 4) / 2 = 1.5 log 2
    assert nll(log_probabilities, np.array([[0, 0, 1]])) == pytest.approx(1.5 * math.log(2))


def test_padding_may_be_minus_infinity():
    assert nll(
        np.array([[math.log(0.5), math.log(0.5), -math.inf]]), np.array([[0, 1, -1]])
    ) == pytest.approx(math.log(2))


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ShapeError, match=r"\[1, 3\].*\[1, 2\]"):
        correctness(np.ones((1, 3)), PAIR)


def test_a_choice_without_a_best_option_is_refused_by_number():
    with pytest.raises(ShapeError, match="choice 1 has no best option"):
        correctness(np.ones((2, 2)), np.array([[0, 1], [-1, -1]]))
