import torch
from torch.testing import assert_close

from fsa.outputs.matched_noise import matched_noise


def test_mean_and_covariance_are_those_of_a_standard_normal():
    noise = matched_noise(64, 16)
    assert_close(noise.mean(0), torch.zeros(16).double())
    assert_close(noise.T @ noise / 64, torch.eye(16).double())


def test_too_few_samples_have_the_mean_alone():
    assert_close(matched_noise(4, 16).mean(0), torch.zeros(16).double())
