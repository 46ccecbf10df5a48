"""Mutual information of an answer and the answers to the other pairs."""

import math
from itertools import product

import pytest
import torch
from torch.testing import assert_close

from fsa.questions.information_gain import InformationGain
from fsa.questions.predictive_gain import PredictiveGain

EVEN = torch.full((4,), 0.25, dtype=torch.float64)


def worth(*first, weight=EVEN) -> torch.Tensor:
    """Each pair by its probabilities at the places."""
    return PredictiveGain().worth(torch.tensor(first, dtype=torch.float64).T, weight)


def test_two_pairs_that_ask_the_same_tell_of_each_other_and_a_third_of_neither():
    # The first two split the places alike, the third across them: log 2 about one of two others, and nothing.
    found = worth([1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0])
    assert_close(found, torch.tensor([math.log(2) / 2, math.log(2) / 2, 0], dtype=torch.float64))
    # By the person alone all three say the same.
    same = InformationGain().worth(torch.tensor([[1.0, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]).T, EVEN.float())
    assert same[1] == pytest.approx(float(same[2]))


def test_it_is_the_sum_over_a_table_by_hand():
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(6, 5, generator=generator, dtype=torch.float64)
    weight = torch.softmax(torch.randn(6, generator=generator, dtype=torch.float64), 0)
    wanted = torch.zeros(5, dtype=torch.float64)
    for one, other in product(range(5), range(5)):
        if one == other:
            continue
        for a, b in product((0, 1), (0, 1)):
            of_one = first[:, one] if a else 1 - first[:, one]
            of_other = first[:, other] if b else 1 - first[:, other]
            joint, apart = weight @ (of_one * of_other), (weight @ of_one) * (weight @ of_other)
            wanted[one] += joint * (joint / apart).log() / 4
    assert_close(PredictiveGain().worth(first, weight), wanted)


def test_an_answer_never_says_more_about_others_than_about_the_person():
    generator = torch.Generator().manual_seed(1)
    first = torch.rand(8, 30, generator=generator, dtype=torch.float64)
    weight = torch.full((8,), 1 / 8, dtype=torch.float64)
    assert (PredictiveGain().worth(first, weight) <= InformationGain().worth(first, weight) + 1e-12).all()


def test_of_many_pairs_some_stand_for_all():
    generator = torch.Generator().manual_seed(2)
    kinds = torch.rand(8, 4, generator=generator, dtype=torch.float64)
    weight = torch.full((8,), 1 / 8, dtype=torch.float64)
    order = torch.randperm(400, generator=generator)
    found = PredictiveGain().worth(kinds.repeat(1, 100)[:, order], weight)
    # The mean over 100 copies of each, but for how many of each are among those that stand for all.
    few = PredictiveGain().worth(kinds.repeat(1, 16), weight)
    assert_close(found[order.argsort()][:4], few[:4], rtol=0.35, atol=0.0)
    assert len(found) == 400


def test_one_pair_alone_is_asked_about_for_what_it_says_of_the_person():
    first = torch.tensor([[1.0], [1.0], [0.0], [0.0]], dtype=torch.float64)
    assert float(PredictiveGain().worth(first, EVEN)) == pytest.approx(math.log(2))
