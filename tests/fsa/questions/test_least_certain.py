"""Doubt about an answer."""

import math

import torch
from torch.testing import assert_close

from fsa.questions.least_certain import LeastCertain


def test_worth_is_the_doubt_about_the_answer_over_the_whole_belief():
    first = torch.tensor([[1.0, 0.9, 0.5], [0.0, 0.9, 0.5]], dtype=torch.float64)
    weight = torch.tensor([0.5, 0.5], dtype=torch.float64)
    at_nine_tenths = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    wanted = torch.tensor([math.log(2), at_nine_tenths, math.log(2)], dtype=torch.float64)
    assert_close(LeastCertain().worth(first, weight), wanted)
