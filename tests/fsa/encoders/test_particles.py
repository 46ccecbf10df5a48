import math

import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.particles import Particles
from tests.factories.choices import pairs


def two_tastes(**options) -> Particles:
    """Tastes are the axes of the features, which are those of the belief."""
    encoder = Particles(2, 2, particles=2, **{"slip": 1e-6, "rate": 1e-9} | options)
    torch.nn.init.eye_(encoder.directions.weight)
    torch.nn.init.eye_(encoder.places)
    return encoder


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("slip", [1e-6, 0.2])
def test_the_belief_is_the_posterior_mean_over_places_and_their_opposites(slip):
    choices = [[1.5, 0.0], [0.5, -1.0]]

    def weight(place: tuple[float, float]) -> float:
        odds = [place[0] * x + place[1] * y for x, y in choices]
        return math.prod(slip / 2 + (1 - slip) * sigmoid(one) for one in odds)

    places = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]
    weights = [weight(place) for place in places]
    expected = [sum(w * p[i] for w, p in zip(weights, places, strict=True)) / sum(weights) for i in (0, 1)]
    assert_close(two_tastes(slip=slip)(pairs(*choices)).mean, torch.tensor([expected]), atol=1e-5, rtol=1e-4)


def test_weights_are_the_prior():
    encoder = two_tastes()
    with torch.no_grad():
        encoder.log_weight[:] = torch.tensor([math.log(3), 0])
    # Only the first taste has an opinion: 3 sigmoid(2), 3 sigmoid(-2) for its opposite, 1/2 for the others.
    expected = 3 * (sigmoid(2) - sigmoid(-2)) / (3 + 1)
    assert_close(encoder(pairs([2.0, 0.0])).mean, torch.tensor([[expected, 0]]), atol=1e-5, rtol=1e-4)


def test_no_single_choice_says_more_than_slips_allow():
    # Odds of (1 - slip / 2) to slip / 2 at most; the other taste and its opposite are at one half.
    belief = two_tastes(slip=0.2)(pairs([1e4, 0.0]))
    assert_close(belief.mean, torch.tensor([[(0.9 - 0.1) / 2, 0]]), atol=1e-5, rtol=1e-4)


def test_the_opposite_choices_give_the_opposite_belief():
    torch.manual_seed(0)
    encoder, context = Particles(3, 2, spread=True).eval(), pairs(*torch.randn(5, 3).tolist())
    belief, opposite = encoder(context), encoder(context.reversed())
    assert belief.mean.abs().max() > 1e-3
    assert_close(opposite.mean, -belief.mean)
    assert_close(opposite.std, belief.std)


@pytest.mark.parametrize("wrong", [{"particles": 0}, {"slip": 0.0}, {"slip": 1.0}])
def test_nobody_and_certain_slips_are_refused(wrong):
    with pytest.raises(ValueError, match=r"particles must be >= 1 and slip from 0 to 1"):
        Particles(3, 2, **wrong)
