import itertools
import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.testing import assert_close

import fsa.types
from fsa.beliefs import Belief
from fsa.errors import ConfigError, ShapeError
from tests.factories.places import batch


def test_the_former_place_gives_the_same_type():
    assert fsa.types.Belief is Belief


class TestBelief:
    def test_beliefs_of_several_batches_keep_their_memories(self):
        first, second = batch([[0, 1], [1, 0]]), batch([[1, 0]])
        parts = [Belief(torch.full((1, 2), i), torch.ones(1, 2), m) for i, m in ((1.0, first), (2.0, second))]
        both = Belief.of_users(parts)
        assert both.mean.tolist() == [[1, 1], [2, 2]]
        assert both.of_user(0).memory.places.tolist() == first.places.tolist()
        assert both.of_user(1).memory.places.tolist() == [[[1, 0], [-1, -1]]]

    def test_beliefs_without_memory_stay_without(self):
        both = Belief.of_users([Belief.point(torch.ones(2, 3)), Belief.point(torch.zeros(1, 3))])
        assert both.mean.sum(1).tolist() == [3, 3, 0]
        assert both.memory is both.of_user(1).memory is None

    def beliefs(self) -> tuple[Belief, Belief]:
        torch.manual_seed(0)
        a, b = (Belief(torch.randn(5, 3), torch.rand(5, 3) + 0.1) for _ in range(2))
        return a, b

    def test_kl_agrees_with_torch_distributions(self):
        a, b = self.beliefs()
        expected = kl_divergence(*(Independent(Normal(x.mean, x.std), 1) for x in (a, b)))
        assert_close(a.kl_to(b), expected)

    def test_kl_by_hand(self):
        # log(2 / 1) + (1 + 3^2) / (2 * 4) - 1/2
        a, b = (
            Belief(torch.tensor([[mean]]), torch.tensor([[std]])) for mean, std in ((3.0, 1.0), (0.0, 2.0))
        )
        assert_close(a.kl_to(b), torch.tensor([math.log(2) + 10 / 8 - 0.5]))
        assert_close(a.kl_to(a), torch.zeros(1))

    def test_kl_from_or_to_a_point_is_refused(self):
        spread, _ = self.beliefs()
        for one, other in itertools.permutations([spread, Belief.point(spread.mean)]):
            with pytest.raises(ConfigError, match="point belief"):
                one.kl_to(other)

    def test_samples_have_the_mean_and_the_spread(self):
        belief = Belief(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]))
        samples = belief.sample(torch.randn(100_000, 1, 2, generator=torch.Generator().manual_seed(0)))
        assert samples.shape == (100_000, 1, 2)
        assert_close(samples.mean(0), belief.mean, atol=0.04, rtol=0)  # 4 standard errors of the wider
        assert_close(samples.std(0), belief.std, rtol=0.01, atol=0)

    def test_a_point_is_sampled_as_itself(self):
        point = Belief.point(torch.randn(2, 3))
        assert_close(point.sample(torch.randn(4, 2, 3)), point.mean.expand(4, 2, 3))

    def test_the_noise_decides_the_sample_and_gradients_pass_it(self):
        mean, std = torch.zeros(1, 2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
        noise = torch.tensor([[[1.0, 2.0]], [[3.0, -5.0]], [[0.0, 1.0]]])
        sample = Belief(mean, std).sample(noise)
        assert_close(sample.detach(), noise)  # with mean 0 and std 1 a sample is its noise
        sample.sum().backward()
        assert_close(mean.grad, torch.full((1, 2), 3.0))
        assert_close(std.grad, torch.tensor([[4.0, -2.0]]))

    def test_mean_and_std_of_other_shapes_are_refused(self):
        with pytest.raises(ShapeError, match=r"mean \[2, 3\] but std \[2, 1\]"):
            Belief(torch.zeros(2, 3), torch.zeros(2, 1))
