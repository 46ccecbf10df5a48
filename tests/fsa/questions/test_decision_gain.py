"""Mutual information of an answer and which response is best."""

import math

import pytest
import torch
from torch.testing import assert_close

from fsa.questions.decision_gain import DecisionGain
from fsa.questions.information_gain import InformationGain

EVEN = torch.full((4,), 0.25, dtype=torch.float64)


def test_an_answer_that_settles_the_decision_is_worth_log_two_and_any_other_nothing():
    """Places 0, 1 want response 0, places 2, 3 response 1; the second pair tells other kinds apart."""
    first = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    worth = DecisionGain().deciding(torch.tensor([0, 0, 1, 1])).worth(first, EVEN)
    assert_close(worth, torch.tensor([math.log(2), 0.0], dtype=torch.float64))
    assert_close(InformationGain().worth(first, EVEN), torch.full((2,), math.log(2)).double())


def test_it_is_the_mutual_information_of_a_table():
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(6, 3, generator=generator, dtype=torch.float64)
    weight = torch.softmax(torch.randn(6, generator=generator, dtype=torch.float64), 0)
    best = torch.tensor([0, 2, 2, 5, 0, 2])
    joint = torch.zeros(2, 6, 3, dtype=torch.float64)  # [answer, best, pair]
    joint.index_add_(1, best, torch.stack([first, 1 - first]) * weight[:, None])
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    wanted = torch.where(joint > 0, joint * (joint / apart).log(), 0).sum((0, 1))
    assert_close(DecisionGain(best).worth(first, weight), wanted)


def test_no_decision_is_better_than_knowing_the_person():
    generator = torch.Generator().manual_seed(1)
    first = torch.rand(4, 20, generator=generator, dtype=torch.float64)
    decided = DecisionGain(torch.tensor([0, 1, 1, 0])).worth(first, EVEN)
    assert (decided <= InformationGain().worth(first, EVEN) + 1e-12).all()


def test_without_a_decision_each_pair_has_its_own():
    first = torch.tensor([[0.9, 0.9], [0.9, 0.6], [0.1, 0.9], [0.1, 0.6]], dtype=torch.float64)
    worth = DecisionGain().worth(first, EVEN)
    doubt = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    assert worth[0].item() == pytest.approx(math.log(2) - doubt)
    assert worth[1].item() == pytest.approx(0)  # the first is better for everybody
