"""Probabilities of pairs under a reward linear in the latent."""

import math

import pytest
import torch
from torch.testing import assert_close

from fsa.beliefs import Belief
from fsa.mixtures import Mixture
from fsa.models.pairs import Pairs
from fsa.predictive import normal_atoms
from fsa.types import ChoiceBatch


def a_mixture(dtype: torch.dtype = torch.float64) -> Belief:
    """Two people, three components, two latents."""
    rng = torch.Generator().manual_seed(0)
    weight, means = torch.randn(2, 3, generator=rng), torch.randn(2, 3, 2, generator=rng)
    factor = torch.randn(2, 2, 2, generator=rng).tril()
    return Belief.of_mixture(Mixture(weight.log_softmax(-1).to(dtype), means.to(dtype), factor.to(dtype)))


def some_choices() -> tuple[ChoiceBatch, torch.Tensor, torch.Tensor]:
    """Four pairs of each, their population's rewards and tastes."""
    rng = torch.Generator().manual_seed(1)
    places = torch.tensor([0, 1]).expand(2, 4, 2)
    choices = ChoiceBatch(torch.zeros(2, 4, 2, 1), places, torch.arange(8).view(2, 4))
    return (
        choices,
        torch.randn(2, 4, 2, generator=rng).double(),
        torch.randn(2, 4, 2, 2, generator=rng).double(),
    )


def test_a_gaussian_s_difference_is_its_mean_and_its_quantiles():
    """z ~ N(2, 3^2), reward 1 + z of the first and 0 of the second: the difference is N(3, 3^2)."""
    choices = ChoiceBatch(torch.zeros(1, 1, 2, 1), torch.tensor([[[0, 1]]]), torch.zeros(1, 1).long())
    belief = Belief(torch.tensor([[2.0]]), torch.tensor([[3.0]]))
    population, taste = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[[1.0], [0.0]]]])
    found = Pairs.of(choices, belief, population, taste).predictive(16)
    difference = (found.scores[..., 0, 0] - found.scores[..., 1, 0]).flatten()
    assert_close(difference, 3 + 3 * normal_atoms(16).float())
    assert found.log_weight is None


def test_a_component_is_drawn_towards_zero_by_its_own_spread():
    """Of [MacKay1992]: mean 3 and variance 8 / pi of a difference are as even as 3 / sqrt(2)."""
    choices = ChoiceBatch(torch.zeros(1, 1, 2, 1), torch.tensor([[[0, 1]]]), torch.zeros(1, 1).long())
    weight, std = torch.tensor([[0.25, 0.75]]), math.sqrt(8 / math.pi)
    mixture = Mixture(weight.log(), torch.tensor([[[3.0], [-1.0]]]), torch.full((1, 1, 1), std))
    population, taste = torch.zeros(1, 1, 2), torch.tensor([[[[1.0], [0.0]]]])
    found = Pairs.of(choices, Belief.of_mixture(mixture), population, taste, 2).predictive(16)
    difference = (found.scores[..., 0, 0] - found.scores[..., 1, 0]).flatten()
    assert_close(difference, torch.tensor([3.0, -1.0]) / math.sqrt(2))
    assert_close(found.log_weight.flatten().exp(), weight[0])
    assert found.members == 2


@pytest.mark.parametrize("belief", [a_mixture(), Belief(a_mixture().mean, a_mixture().std)])
def test_a_factor_and_a_width_are_those_of_rewards_and_belief(belief: Belief):
    choices, population, taste = some_choices()
    factor, width = torch.tensor([1.5, 0.5]).double(), torch.tensor(0.3).double()
    found = Pairs.of(choices, belief, population, taste).predictive(8, factor, width)
    by = factor.view(2, 1, 1)
    wanted = Pairs.of(choices, belief.spread_by(width), by * population, by.unsqueeze(-1) * taste)
    assert_close(found.scores, wanted.predictive(8).scores, rtol=1e-9, atol=1e-12)


def test_a_certain_belief_has_a_gradient():
    """A root has none at zero."""
    choices, population, taste = some_choices()
    mean = torch.zeros(2, 2).double().requires_grad_()
    belief = Belief(mean, torch.zeros(2, 2).double())
    Pairs.of(choices, belief, population, taste).predictive(4).scores.square().sum().backward()
    assert mean.grad.isfinite().all()
    assert mean.grad.abs().max() > 0
