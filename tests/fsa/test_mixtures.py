import math

import torch
from torch.testing import assert_close

from fsa.beliefs import Belief
from fsa.mixtures import Mixture


def mixture(users: int = 2, components: int = 3, width: int = 2) -> Mixture:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return Mixture(
        drawn(users, components).log_softmax(-1),
        drawn(users, components, width),
        0.5 * drawn(users, width, width) + torch.eye(width).double(),
    )


def test_mean_and_covariance_are_those_of_many_samples():
    belief = Belief.of_mixture(mixture())
    noise = torch.randn(400_000, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert belief.mixture is not None
    assert belief.factor is not None
    z, log_weight = belief.mixture.sample(noise)
    assert (log_weight == 0).all()
    assert_close(z.mean(0), belief.mean, atol=0.01, rtol=0)
    covariance = torch.einsum("sbz,sby->bzy", z - belief.mean, z - belief.mean) / len(z)
    assert_close(covariance, belief.factor @ belief.factor.mT, atol=0.02, rtol=0)
    assert_close(belief.std, z.std(0), atol=0.01, rtol=0.01)


def test_samples_share_out_the_components_by_their_weight():
    shares = torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64)
    points = Mixture(
        shares.log(), torch.tensor([[[0.0], [1.0], [2.0]]]).double(), torch.zeros(1, 1, 1).double()
    )
    z, _ = points.sample(torch.zeros(8, 1, 1))
    assert z.flatten().tolist() == [0, 0, 0, 0, 1, 1, 2, 2]


def test_the_gradient_of_a_mean_over_samples_reaches_the_weights():
    """d/dw of the mean of z is each component's centre, less the mean (of weights that sum to 1)."""
    logits = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    points = Mixture(
        logits.log_softmax(-1), torch.tensor([[[-1.0], [3.0]]]).double(), torch.zeros(1, 1, 1).double()
    )
    z, log_weight = points.sample(torch.zeros(10, 1, 1))
    (z[..., 0] * log_weight.exp()).mean().backward()
    assert_close(logits.grad, torch.tensor([[0.5 * (-1 - 1), 0.5 * (3 - 1)]]).double())


def test_of_one_component_the_belief_is_a_gaussian():
    belief = Belief.of_mixture(mixture(components=1))
    assert belief.mixture is None
    assert belief.factor is not None


def test_along_a_direction_by_hand():
    one = mixture()
    direction = torch.tensor([[[1.0, 2.0]], [[0.0, 1.0]]]).double()  # [b, 1, z]
    means, variance = one.along(direction)
    assert means.shape == (2, 1, 3)
    assert_close(means[0, 0], one.means[0] @ direction[0, 0])
    covariance = one.factor @ one.factor.mT
    assert_close(variance[1, 0], direction[1, 0] @ covariance[1] @ direction[1, 0])


def test_quantiles_are_those_of_many_samples():
    one = mixture()
    direction = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    noise = torch.randn(200_000, 2, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    along = torch.einsum("sbz,bnz->sbn", one.sample(noise)[0], direction)
    for fraction in (0.05, 0.5, 0.95):
        below = (along < one.quantiles(direction, [fraction])[0]).double().mean(0)
        assert_close(below, torch.full((2, 4), fraction).double(), atol=5e-3, rtol=0)


def test_the_quantile_of_one_gaussian_is_the_normal_one():
    alone = Mixture(torch.zeros(1, 1), torch.full((1, 1, 1), 2.0), torch.full((1, 1, 1), 3.0))
    found = alone.quantiles(torch.ones(1, 1, 1), [0.95]).item()
    assert math.isclose(found, 2 + 3 * 1.6448536, rel_tol=1e-5)


def test_beliefs_of_users_are_stacked_and_taken_apart_with_their_mixtures():
    belief = Belief.of_mixture(mixture(users=3))
    again = Belief.of_users([belief.of_user(i) for i in range(3)])
    assert belief.mixture is not None
    assert again.mixture is not None
    for name in ("log_weight", "means", "factor"):
        assert torch.equal(getattr(again.mixture, name), getattr(belief.mixture, name))
    assert again.to(torch.float32).mixture.means.dtype == torch.float32  # moves with the belief


def test_spread_by_a_factor_the_mean_stays_and_the_covariance_goes_by_its_square():
    belief = Belief.of_mixture(mixture())
    wider = belief.spread_by(torch.tensor(3.0))
    mean, factor = wider.mixture.moments()
    assert_close(mean, belief.mean)
    assert_close(factor @ factor.mT, 9 * belief.factor @ belief.factor.mT)
    assert_close(wider.factor @ wider.factor.mT, factor @ factor.mT)
    assert_close(wider.std, 3 * belief.std)
    assert Belief.point(mean).spread_by(torch.tensor(3.0)).std.eq(0).all()
