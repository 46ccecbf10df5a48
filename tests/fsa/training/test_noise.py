import numpy as np
import torch
from scipy import stats
from torch.testing import assert_close

from fsa.seeding import random_bits
from fsa.training.noise import normal_noise, seed_torch, torch_bits


def test_bits_are_those_of_the_numpy_generator():
    first, second = torch.arange(50).reshape(-1, 1), torch.tensor([0, 1, 7, 2**62])
    for seed in (0, 5, 2**63 + 11):
        expected = random_bits(seed, first.numpy(), second.numpy()).view(np.int64)
        assert torch.equal(torch_bits(seed, first, second), torch.from_numpy(expected))


def test_an_episode_has_its_noise_wherever_it_is():
    whole = normal_noise(3, torch.arange(10), 2, 4)
    assert whole.shape == (2, 10, 4)
    assert_close(normal_noise(3, torch.tensor([7, 2]), 2, 4), whole[:, [7, 2]], atol=0, rtol=0)
    assert_close(normal_noise(3, torch.arange(10), 5, 4)[:2], whole, atol=0, rtol=0)


def test_seed_episode_sample_and_dimension_all_matter():
    noise = torch.cat([normal_noise(seed, torch.arange(20), 3, 4).flatten() for seed in (0, 1)])
    assert len(noise.unique()) == len(noise)


def test_it_is_standard_normal_and_finite():
    noise = normal_noise(0, torch.arange(2000), 10, 10).flatten().double().numpy()
    assert np.isfinite(noise).all()
    assert stats.kstest(noise, "norm").pvalue > 0.01
    # Neighbours are independent: 200,000 of them, so 4 standard errors are 0.009.
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.009


def test_the_ends_of_the_uniform_stay_inside(monkeypatch):
    ends = torch.tensor([0, -1])  # no bit set, and all
    monkeypatch.setattr("fsa.training.noise.torch_bits", lambda *_: ends)
    low, high = normal_noise(0, torch.arange(1), 1, 2)
    assert_close(low, -high)
    assert 5.2 < high < 5.5


def test_a_step_is_seeded_as_torch_would_and_leaves_nothing_behind():
    before = len(torch.cuda._queued_calls)
    seed_torch(torch.device("cpu"), 3, 7, 1)
    drawn = torch.rand(4)
    assert len(torch.cuda._queued_calls) == before
    torch.manual_seed(int(random_bits(3, 7, 1) >> np.uint64(1)))
    assert torch.equal(torch.rand(4), drawn)
