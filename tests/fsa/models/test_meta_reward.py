import math

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.errors import ConfigError
from fsa.models.meta_reward import MetaReward
from fsa.types import ChoiceBatch


def pair(first: list[float], second: list[float], users: int = 1) -> ChoiceBatch:
    features = torch.tensor([first, second]).expand(users, 1, 2, -1)
    return ChoiceBatch(features, torch.tensor([0, 1]).expand(users, 1, 2), torch.ones(users, 1))


def linear(steps: int, rate: float) -> MetaReward:
    scorer = MetaReward(2, 1, rank=2, steps=steps, rate=rate).eval()
    scorer.basis.wide.weight.data = torch.eye(2)
    return scorer


def test_two_steps_by_hand():
    belief = Verbatim(2, 1)(pair([1.0, 0.0], [0.0, 0.0]))
    # The gap is (1, 0): at w = (1/2, 1/2) its log-odds are 1/2, and a step adds 2 sigmoid(-w1) to w1 alone.
    first = 0.5 + 2 / (1 + math.exp(0.5))
    second = first + 2 / (1 + math.exp(first))
    assert_close(linear(1, 2.0).weights(belief), torch.tensor([[first, 0.5]]))
    assert_close(linear(2, 2.0).weights(belief), torch.tensor([[second, 0.5]]))


def test_without_choices_all_have_the_start():
    nothing = ChoiceBatch(torch.zeros(3, 0, 2, 2), torch.zeros(3, 0, 2).long(), torch.zeros(3, 0))
    scorer = linear(3, 1.0)
    assert_close(scorer.weights(Verbatim(2, 1)(nothing)), torch.full((3, 2), 0.5))


def test_training_sees_through_the_steps():
    scorer, choices = linear(2, 1.0), pair([1.0, 2.0], [0.0, 0.5])
    belief = Verbatim(2, 1)(choices)
    target = pair([0.3, 1.0], [1.0, 0.0])

    def loss() -> torch.Tensor:
        scores = scorer(target, torch.zeros(1, 1, 1), belief)[0, 0, 0, :, 0]
        return -torch.nn.functional.logsigmoid(scores[0] - scores[1])

    loss().backward()
    for parameter in (scorer.start, scorer.log_rate, scorer.basis.wide.weight):
        place = (0,) * parameter.ndim
        found = parameter.grad[place].item()
        with torch.no_grad():
            parameter[place] += 1e-2
            above = loss()
            parameter[place] -= 2e-2
            below = loss()
            parameter[place] += 1e-2
        assert found == pytest.approx((above - below).item() / 2e-2, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize("arguments", [{"rank": 0}, {"steps": 0}, {"rate": 0.0}])
def test_settings_outside_what_is_allowed_are_refused(arguments):
    with pytest.raises(ConfigError, match="allowed"):
        MetaReward(2, 1, **arguments)
