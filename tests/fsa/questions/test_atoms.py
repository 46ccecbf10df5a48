"""Atoms that stand for a belief."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch.testing import assert_close

from fsa.mixtures import Mixture
from fsa.questions.atoms import atoms_of
from fsa.questions.information_gain import InformationGain
from fsa.types import Belief


def gaussian(*std: float) -> Belief:
    spread = torch.tensor([std], dtype=torch.float64)
    return Belief(torch.full_like(spread, 0.5), spread)


def test_a_point_is_one_atom():
    atoms, weight = atoms_of(gaussian(0.0, 0.0))
    assert_close(atoms, torch.full((1, 1, 2), 0.5, dtype=torch.float64))
    assert_close(weight, torch.ones(1, dtype=torch.float64))


def test_weights_sum_to_one_and_the_mean_is_exact():
    atoms, weight = atoms_of(gaussian(1.0, 2.0, 0.0))
    assert_close(weight.sum(), torch.tensor(1.0, dtype=torch.float64))
    assert_close(torch.einsum("s,sbz->bz", weight, atoms), gaussian(1.0, 2.0, 0.0).mean)
    assert_close(atoms[..., 2], torch.full((len(atoms), 1), 0.5, dtype=torch.float64))


@pytest.mark.parametrize("width", [1, 4, 16, 100])
def test_the_spread_is_that_of_the_belief(width):
    atoms, weight = atoms_of(gaussian(*[2.0] * width))
    away = atoms[:, 0] - 0.5
    covariance = torch.einsum("s,sy,sz->yz", weight, away, away)
    assert_close(covariance, 4 * torch.eye(width, dtype=torch.float64))


@pytest.mark.parametrize(
    ("slope", "width", "within"),
    [(0.5, 1, 0.03), (2.0, 1, 0.03), (2.0, 4, 0.03), (2.0, 16, 0.1), (0.5, 16, 0.1)],
)
def test_information_gain_agrees_with_an_integral(slope, width, within):
    # The gap of two rewards is slope * (z_1 + ... ) / sqrt(width): normal, so one integral gives the truth.
    atoms, weight = atoms_of(Belief(torch.zeros(1, width).double(), torch.ones(1, width).double()))
    gap = slope * atoms[:, 0].sum(-1, keepdim=True) / math.sqrt(width)
    found = float(InformationGain().worth(torch.sigmoid(gap), weight))

    def density(x):
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    def doubt(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    left = quad(lambda x: density(x) * doubt(1 / (1 + math.exp(-slope * x))), -8, 8)[0]
    assert found == pytest.approx(math.log(2) - left, rel=within)


def test_of_a_mixture_mean_and_covariance_are_its_own_and_each_kind_has_its_share():
    means = torch.tensor([[[-4.0, 0.0], [4.0, 1.0]]], dtype=torch.float64)
    factor = torch.tensor([[[0.5, 0.0], [0.2, 0.4]]], dtype=torch.float64)
    shares = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    belief = Belief.of_mixture(Mixture(shares.log(), means, factor))
    atoms, weight = atoms_of(belief)
    away = atoms[:, 0] - belief.mean
    covariance = torch.einsum("s,sy,sz->yz", weight, away, away)
    assert belief.factor is not None
    assert_close(covariance, (belief.factor @ belief.factor.mT)[0])
    assert_close((weight @ atoms[:, 0]), belief.mean[0])
    assert float(weight[atoms[:, 0, 0] < 0].sum()) == pytest.approx(0.25, abs=0.01)


def test_of_a_whole_covariance_the_atoms_have_it():
    factor = torch.tensor([[[1.0, 0.0], [0.9, 0.1]]], dtype=torch.float64)
    atoms, weight = atoms_of(Belief.of_factor(torch.zeros(1, 2).double(), factor))
    covariance = torch.einsum("s,sy,sz->yz", weight, atoms[:, 0], atoms[:, 0])
    assert_close(covariance, (factor @ factor.mT)[0])
