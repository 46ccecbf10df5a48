import math

import torch
from torch.testing import assert_close

from fsa.questions.acquisition import entropy


def test_doubt_is_in_nats_and_largest_where_odds_are_even():
    chance = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert_close(entropy(chance), torch.tensor([0.0, quarter, math.log(2), 0.0], dtype=torch.float64))
