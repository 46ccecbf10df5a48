import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.testing import assert_close

from fsa.solvers.ridge_logistic import ridge_logistic


def differences(users: int = 3, n: int = 8, d: int = 20, scale: float = 1.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(users, n, d, generator=generator, dtype=torch.float64)


def of_sklearn(difference: torch.Tensor, ridge: float) -> np.ndarray:
    """Each difference forth as class 1 and back as class 0: twice our sum of losses, so C = 1 / (2 ridge)."""
    rows = difference.numpy()
    fit = LogisticRegression(fit_intercept=False, C=1 / (2 * ridge), tol=1e-10, max_iter=10_000)
    return fit.fit(np.concatenate([rows, -rows]), np.repeat([1, 0], len(rows))).coef_[0]


@pytest.mark.parametrize("ridge", [0.03, 1.0, 100.0])
@pytest.mark.parametrize(
    "shape", [(1, 20), (8, 20), (60, 20)]
)  # few choices are solved in n x n, many in d x d
def test_it_is_scikit_learns_logistic_regression(shape, ridge):
    difference = differences(n=shape[0], d=shape[1])
    found = ridge_logistic(difference, ridge)
    for user in range(3):
        np.testing.assert_allclose(found[user], of_sklearn(difference[user], ridge), rtol=0, atol=1e-5)


def test_one_choice_has_a_closed_form():
    """w = a x with ridge a = sigmoid(-a |x|^2); for |x|^2 = 2 ln 3, ridge 1/2 and a = 1/2 both are 1/4."""
    difference = torch.tensor([[[math.sqrt(2 * math.log(3)), 0.0]]], dtype=torch.float64)
    assert_close(ridge_logistic(difference, 0.5)[0], 0.5 * difference[0, 0])


def test_the_slope_is_zero_also_where_plain_newton_steps_go_too_far():
    """Large differences and hardly any ridge: a full first step lands where every choice is certain."""
    difference = differences(users=16, n=30, d=5, scale=30.0)
    weight = ridge_logistic(difference, 1e-4)
    wrong = torch.sigmoid(-torch.einsum("bnd,bd->bn", difference, weight))
    slope = 1e-4 * weight - torch.einsum("bnd,bn->bd", difference, wrong)
    assert_close(slope, torch.zeros_like(slope), atol=1e-6, rtol=0)


def test_rows_of_zeros_and_no_rows_change_nothing():
    difference = differences()
    padded = torch.cat([difference, torch.zeros(3, 15, 20, dtype=torch.float64)], 1)
    assert_close(ridge_logistic(padded, 2.0), ridge_logistic(difference, 2.0))
    assert not ridge_logistic(torch.zeros(2, 0, 5), 2.0).any()


def test_single_precision_is_close_to_double():
    difference = differences(n=20, d=128)
    single = ridge_logistic(difference.float(), 10.0)
    assert_close(single.double(), ridge_logistic(difference, 10.0), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [(4, 6), (9, 3)])
def test_the_solution_has_the_gradients_that_finite_differences_find(shape):
    difference = differences(users=2, n=shape[0], d=shape[1]).requires_grad_()
    ridge = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(ridge_logistic, (difference, ridge), atol=1e-5)
