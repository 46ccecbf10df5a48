import numpy as np

from fsa.metrics.choice_accuracy import correctness
from fsa.metrics.steering import flip_correctness

PLACES = np.array([[0, 1], [1, 0], [0, 1]])


def test_a_model_that_follows_its_context_turns_around_with_it():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    correct = correctness(probabilities, PLACES)
    flipped = flip_correctness(probabilities[:, ::-1], PLACES)  # the opposite person's preferences
    assert flipped.tolist() == (1 - correct).tolist()


def test_a_model_that_ignores_its_context_is_not_steered():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    correct = correctness(probabilities, PLACES)
    assert flip_correctness(probabilities, PLACES).tolist() == correct.tolist()
