import math

import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ConfigError
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.smoothed_nll import SmoothedNLL
from fsa.types import Belief, ChoiceBatch

POINT = Belief.point(torch.zeros(1, 2))
ONE = ChoiceBatch(torch.zeros(1, 1, 2, 1), torch.tensor([[[0, 1]]]), torch.zeros(1, 1))


def test_a_choice_counts_for_its_opposite_too():
    # p = 0.8: 0.9 x -log 0.8 + 0.1 x -log 0.2.
    log_probs = torch.tensor([[[math.log(0.8)]]])
    expected = -0.9 * math.log(0.8) - 0.1 * math.log(0.2)
    parts = SmoothedNLL(0.1)(log_probs, ONE, POINT, POINT)
    assert_close(parts.loss, torch.tensor(expected))
    assert_close(parts.parts["nll"], torch.tensor(-math.log(0.8)))


def test_without_smoothing_it_is_the_plain_nll():
    log_probs = torch.tensor([0.3, 0.6]).log().reshape(2, 1, 1)
    plain = NegativeLogLikelihood()(log_probs, ONE, POINT, POINT)
    assert_close(SmoothedNLL(0.0)(log_probs, ONE, POINT, POINT).loss, plain.loss)


def test_the_best_probability_is_one_less_the_smoothing():
    log_probs = torch.tensor([[[math.log(0.9)]]], requires_grad=True)
    SmoothedNLL(0.1)(log_probs, ONE, POINT, POINT).loss.backward()
    assert_close(log_probs.grad, torch.zeros(1, 1, 1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("smoothing", [-0.1, 0.5])
def test_half_the_choices_cannot_be_mistakes(smoothing):
    with pytest.raises(ConfigError, match=r"0 to below 0\.5"):
        SmoothedNLL(smoothing)
