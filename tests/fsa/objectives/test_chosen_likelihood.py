import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ConfigError
from fsa.objectives.chosen_likelihood import ChosenLikelihood
from fsa.objectives.smoothed_nll import SmoothedNLL
from fsa.types import Belief, ChoiceBatch

POINT = Belief.point(torch.zeros(2, 2))
# The first user chose the second option of one pair, the second the first option of two; -1 is padding.
PLACES = torch.tensor([[[1, 0], [-1, -1]], [[0, 1], [0, 1]]])
TARGET = ChoiceBatch(torch.zeros(2, 2, 2, 1), PLACES, torch.tensor([[0, -1], [0, 1]]))
SCORES = torch.tensor([[[1.0, 3.0], [70.0, 70.0]], [[5.0, 2.0], [-1.0, 4.0]]])[None, ..., None]
LOG_PROBS = torch.full((1, 2, 2), -0.5)


def test_the_chosen_responses_scores_are_averaged_over_targets_and_then_over_people():
    objective = ChosenLikelihood(0.1, weight=0.2)
    parts = objective(LOG_PROBS, TARGET, POINT, POINT)
    assert_close(parts.loss, SmoothedNLL(0.1)(LOG_PROBS, TARGET, POINT, POINT).loss)
    more = objective.with_scores(parts, SCORES, TARGET)
    chosen = (3.0 + (5.0 - 1.0) / 2) / 2
    assert_close(more.parts["chosen"], torch.tensor(chosen))
    assert_close(more.loss, parts.loss - 0.2 * chosen)
    assert more.parts["nll"] is parts.parts["nll"]


def test_the_gradient_reaches_chosen_responses_alone():
    objective, scores = ChosenLikelihood(weight=0.2), SCORES.clone().requires_grad_()
    parts = objective(LOG_PROBS, TARGET, POINT, POINT)
    objective.with_scores(parts, scores, TARGET).loss.backward()
    expected = torch.tensor([[[0.0, -0.1], [0, 0]], [[-0.05, 0], [-0.05, 0]]])
    assert_close(scores.grad, expected[None, ..., None])


def test_other_objectives_add_nothing():
    parts = SmoothedNLL()(LOG_PROBS, TARGET, POINT, POINT)
    assert SmoothedNLL().with_scores(parts, SCORES, TARGET) is parts


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
def test_a_weight_is_a_number_of_at_least_zero(weight):
    with pytest.raises(ConfigError, match="allowed is 0 or more"):
        ChosenLikelihood(weight=weight)
