"""Mutual information of an answer and a belief."""

import math

import pytest
import torch
from torch.testing import assert_close

from fsa.questions.information_gain import InformationGain

HALF = torch.tensor([0.5, 0.5], dtype=torch.float64)


def worth(*first: float, weight=HALF) -> float:
    return float(InformationGain().worth(torch.tensor(first, dtype=torch.float64)[:, None], weight))


def test_an_answer_that_tells_two_kinds_of_people_apart_is_worth_log_two():
    assert worth(1.0, 0.0) == pytest.approx(math.log(2))


def test_an_answer_on_which_everybody_is_undecided_or_agrees_is_worth_nothing():
    assert worth(0.5, 0.5) == pytest.approx(0)
    assert worth(0.9, 0.9) == pytest.approx(0)
    assert worth(1.0, 1.0) == 0


def test_a_noisy_answer_by_hand():
    # Overall 0.75 * 0.9 + 0.25 * 0.2 = 0.725; H(0.725) - 0.75 H(0.9) - 0.25 H(0.2), in nats.
    def doubt(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    weight = torch.tensor([0.75, 0.25], dtype=torch.float64)
    assert worth(0.9, 0.2, weight=weight) == pytest.approx(
        doubt(0.725) - 0.75 * doubt(0.9) - 0.25 * doubt(0.2)
    )


def test_it_is_the_mutual_information_of_a_table():
    # I(answer, place) summed over the joint table, the other way to write it.
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(6, 3, generator=generator, dtype=torch.float64)
    weight = torch.softmax(torch.randn(6, generator=generator, dtype=torch.float64), 0)
    joint = torch.stack([first, 1 - first]) * weight[:, None]  # [answer, place, pair]
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    assert_close(InformationGain().worth(first, weight), (joint * (joint / apart).log()).sum((0, 1)))
