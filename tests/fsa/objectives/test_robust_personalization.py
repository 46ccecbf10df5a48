import math

import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ConfigError
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.robust_personalization import RobustPersonalization
from fsa.types import Belief, ChoiceBatch

POINT = Belief.point(torch.zeros(2, 2))
TWO = ChoiceBatch(torch.zeros(2, 1, 2, 1), torch.tensor([[[0, 1]], [[0, 1]]]), torch.zeros(2, 1))


def test_weights_by_hand():
    # Losses of log 2 and log 8, a bar of log 2 and gamma log 2: weights 2 sigmoid(0) = 1 and 2 sigmoid(2).
    log_probs = torch.tensor([0.5, 0.125]).log().reshape(1, 2, 1)
    parts = RobustPersonalization(math.log(2), math.log(2))(log_probs, TWO, POINT, POINT)
    expected = (math.log(2) + 2 / (1 + math.exp(-2)) * math.log(8)) / 2
    assert_close(parts.loss, torch.tensor(expected))
    assert_close(parts.parts["nll"], torch.tensor(math.log(16) / 2))


def test_weights_are_constants_to_the_gradient():
    log_probs = torch.tensor([0.5, 0.125]).log().reshape(1, 2, 1).requires_grad_()
    RobustPersonalization(math.log(2), math.log(2))(log_probs, TWO, POINT, POINT).loss.backward()
    assert_close(log_probs.grad.flatten(), -torch.tensor([1, 2 / (1 + math.exp(-2))]) / 2)


def test_a_wide_gamma_is_the_plain_mean():
    log_probs = torch.tensor([0.5, 0.125]).log().reshape(1, 2, 1)
    plain = NegativeLogLikelihood()(log_probs, TWO, POINT, POINT).loss
    assert_close(RobustPersonalization(gamma=1e9)(log_probs, TWO, POINT, POINT).loss, plain)


@pytest.mark.parametrize("arguments", [{"bar": -1.0}, {"gamma": 0.0}])
def test_settings_outside_what_is_allowed_are_refused(arguments):
    with pytest.raises(ConfigError, match="allowed"):
        RobustPersonalization(**arguments)
