import math

import torch
from torch.testing import assert_close

from fsa.predictive import Predictive

LOG = torch.tensor([0.2, 0.8], dtype=torch.float64).log()[
    :, None, None
]  # of two places, one user, one choice


def scores(s: int, value: float = 0.0) -> torch.Tensor:
    return torch.full((s, 1, 1, 2, 1), value, dtype=torch.float64)


def test_places_count_by_their_weight():
    predictive = Predictive(scores(2), LOG)
    chance = torch.tensor([0.9, 0.4], dtype=torch.float64)[:, None, None]
    assert_close(predictive.log_mean(chance.log()).exp().item(), 0.2 * 0.9 + 0.8 * 0.4)
    both = torch.stack([chance, 1 - chance], -1)
    assert_close(predictive.mean(both)[0, 0, 0].item(), 0.2 * 0.9 + 0.8 * 0.4)


def test_the_plain_mean_of_what_is_made_even_is_the_weighted_mean():
    predictive = Predictive(scores(2), LOG)
    log_probs = torch.tensor([-1.0, -3.0], dtype=torch.float64)[:, None, None]
    assert_close(predictive.evenly(log_probs).exp().mean(0).log(), predictive.log_mean(log_probs))


def test_without_weights_all_places_are_equal():
    predictive = Predictive(scores(4))
    log_probs = torch.arange(4, dtype=torch.float64)[:, None, None]
    assert_close(predictive.log_mean(log_probs), log_probs.logsumexp(0) - math.log(4))
    assert predictive.evenly(log_probs) is log_probs


def test_choices_may_have_places_of_their_own_and_more_or_fewer():
    few, many = Predictive(scores(2, 1.0), LOG), Predictive(scores(3, 2.0))
    for is_few in (True, False):
        found = few.where(torch.tensor([[is_few]]), many)
        alone = few if is_few else many
        chance = torch.rand(3, 1, 1, dtype=torch.float64)
        assert_close(found.log_mean(chance.log()), alone.log_mean(chance[: len(alone.scores)].log()))
        assert (found.scores[: len(alone.scores)] == (1.0 if is_few else 2.0)).all()
