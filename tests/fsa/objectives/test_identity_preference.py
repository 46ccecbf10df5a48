import torch
from torch.nn import functional
from torch.testing import assert_close

from fsa.objectives.identity_preference import IdentityPreference
from fsa.types import Belief, ChoiceBatch

POINT = Belief.point(torch.zeros(1, 2))


def two_pairs() -> ChoiceBatch:
    return ChoiceBatch(torch.zeros(1, 2, 2, 1), torch.tensor([0, 1]).expand(1, 2, 2), torch.zeros(1, 2))


def test_the_margin_of_chosen_over_rejected_is_pulled_to_one_half():
    # Margins 0.5 and 2: squared distances from one half 0 and 2.25, mean 1.125.
    margin = torch.tensor([[[0.5, 2.0]]], requires_grad=True)
    loss = IdentityPreference()(functional.logsigmoid(margin), two_pairs(), POINT, POINT).loss
    assert_close(loss, torch.tensor(1.125))
    loss.backward()
    # d/dm of (m - 1/2)^2, halved by the mean: 0 at one half, 1.5 at two: it does not push a margin for ever.
    assert_close(margin.grad, torch.tensor([[[0.0, 1.5]]]), atol=1e-5, rtol=0)


def test_far_margins_keep_a_finite_gradient():
    margin = torch.tensor([[[-60.0, 60.0]]], requires_grad=True)
    loss = IdentityPreference()(functional.logsigmoid(margin), two_pairs(), POINT, POINT).loss
    assert_close(loss, torch.tensor((60.5**2 + 59.5**2) / 2))
    loss.backward()
    assert margin.grad.isfinite().all()
