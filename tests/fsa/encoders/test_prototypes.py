import math

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.prototypes import Prototypes
from tests.factories.choices import pairs


def two_kinds(**options) -> Prototypes:
    """Kinds are the axes of the features, and their places those of the belief."""
    encoder = Prototypes(2, 2, kinds=2, dropout=0.0, **{"bound": 1e4, "rate": 1e-9} | options)
    torch.nn.init.eye_(encoder.log_odds.weight)
    torch.nn.init.eye_(encoder.place.weight)
    return encoder


def test_the_belief_is_the_posterior_over_kinds_and_their_opposites():
    # Log-odds add up to (2, 1): four kinds with weights e^2, e^-2, e^1, e^-1.
    belief = two_kinds()(pairs([1.5, 0.0], [0.5, 1.0]))
    total = 2 * math.cosh(2) + 2 * math.cosh(1)
    expected = torch.tensor([[2 * math.sinh(2) / total, 2 * math.sinh(1) / total]])
    assert_close(belief.mean, expected, atol=1e-4, rtol=1e-4)


def test_a_kind_that_stands_out_leaves_nothing_to_the_others():
    belief = two_kinds()(pairs([20.0, 10.0]))
    assert_close(belief.mean, torch.tensor([[1.0, 0.0]]), atol=1e-3, rtol=0)


def test_no_single_choice_gives_more_than_the_bound():
    once = two_kinds(bound=1.0)(pairs([1e6, 0.0])).mean
    total = 2 * math.cosh(1) + 2
    assert_close(once, torch.tensor([[2 * math.sinh(1) / total, 0.0]]), atol=1e-4, rtol=1e-4)


def test_the_opposite_choices_give_the_opposite_belief():
    torch.manual_seed(0)
    encoder, context = Prototypes(3, 2, spread=True).eval(), pairs(*torch.randn(5, 3).tolist())
    belief, opposite = encoder(context), encoder(context.reversed())
    assert belief.mean.abs().max() > 1e-3
    assert_close(opposite.mean, -belief.mean)
    assert_close(opposite.std, belief.std)


@pytest.mark.parametrize("wrong", [{"kinds": 0}, {"bound": 0.0}])
def test_nobody_and_no_evidence_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kinds must be >= 1 and bound > 0"):
        Prototypes(3, 2, **wrong)
