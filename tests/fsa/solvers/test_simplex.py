import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch.testing import assert_close

from fsa.solvers.simplex import fit_on_simplex


def of_gaps(gaps: list[list[list[float]]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs whose first option has these rewards and whose second has none; the first was chosen."""
    first = torch.tensor(gaps, dtype=torch.float64)
    parts = torch.stack([first, torch.zeros_like(first)], 2)
    return parts, torch.tensor([0, 1]).expand(parts.shape[:3])


def random_choices(
    seed: int, users: int, n: int, k: int, rank: int, scale: float
) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    parts = scale * torch.randn(users, n, k, rank, generator=generator, dtype=torch.float64)
    best = torch.randint(k, (users, n, 1), generator=generator)
    return parts, (torch.arange(k) != best).long()


def loss(weights: torch.Tensor, parts: torch.Tensor, places: torch.Tensor, kl_weight: float) -> torch.Tensor:
    """What is minimised, written down anew [b]."""
    log_best = (parts @ weights[:, None, :, None]).squeeze(-1).log_softmax(-1)
    picked = torch.where(places == 0, log_best, 0).sum((1, 2))
    kl = torch.special.xlogy(weights, weights * weights.shape[-1]).sum(-1)
    return -picked + kl_weight * kl


def test_two_opposed_rewards_that_are_right_three_times_and_once():
    # Gaps (1, -1) three times and (-1, 1) once: the margin is 2 w1 - 1 = m, likeliest where
    # 3 sigmoid(-m) = sigmoid(m), so m = log 3 > 1: all weight on the first.
    # With gaps of 2 the margin is 2 m: m = log(3) / 2 and w1 = (1 + log(3) / 2) / 2.
    for size, first in ((1.0, 1.0), (2.0, (1 + np.log(3) / 2) / 2)):
        gaps = [[[size, -size]] * 3 + [[-size, size]]]
        expected = torch.tensor([[first, 1 - first]], dtype=torch.float64)
        assert_close(fit_on_simplex(*of_gaps(gaps)), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kl_weight", [0.0, 0.3])
@pytest.mark.parametrize(
    ("n", "k", "rank", "scale"), [(3, 2, 4, 1.0), (10, 2, 3, 3.0), (40, 2, 8, 0.3), (6, 4, 5, 2.0)]
)
def test_no_weights_are_better_than_those_scipy_finds(n, k, rank, scale, kl_weight):
    parts, places = random_choices(0, 4, n, k, rank, scale)
    ours = loss(fit_on_simplex(parts, places, kl_weight), parts, places, kl_weight)
    for user in range(4):

        def of(weights: np.ndarray, one: slice = slice(user, user + 1)) -> float:
            at = torch.from_numpy(weights).clamp(min=0).unsqueeze(0)
            return float(loss(at, parts[one], places[one], kl_weight))

        best = minimize(
            of,
            np.full(rank, 1 / rank),
            method="SLSQP",
            bounds=[(0, 1)] * rank,
            constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
            options={"maxiter": 300, "ftol": 1e-12},
        )
        assert float(ours[user]) <= best.fun + 1e-6


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.integers(2, 4),
    st.integers(2, 12),
    st.sampled_from([0.01, 0.3, 3.0, 10.0]),
    st.sampled_from([0.0, 0.1, 2.0]),
)
def test_the_weights_meet_the_conditions_of_an_optimum(seed, n, k, rank, scale, kl_weight):
    """Where the slope is least there may be weight, and nowhere else (Karush, Kuhn and Tucker).

    For a convex loss the sum of w (slope - least slope) bounds the distance to the least loss.
    """
    parts, places = random_choices(seed, 3, n, k, rank, scale)
    weights = fit_on_simplex(parts, places, kl_weight).requires_grad_()
    assert (weights >= 0).all()
    assert_close(weights.sum(-1), torch.ones(3, dtype=torch.float64))
    (slope,) = torch.autograd.grad(loss(weights, parts, places, kl_weight).sum(), weights)
    bound = (weights * (slope - slope.amin(-1, keepdim=True))).sum(-1)
    assert float(bound.detach().max()) < 1e-5


def test_no_choice_gives_uniform_weights_whatever_stands_in_padding():
    nothing = torch.full((2, 3, 2, 5), torch.nan), torch.full((2, 3, 2), -1)
    for parts, places in (nothing, (torch.zeros(2, 0, 2, 5), torch.zeros(2, 0, 2).long())):
        assert_close(fit_on_simplex(parts, places), torch.full((2, 5), 0.2))


def test_choices_that_cannot_tell_two_rewards_apart_leave_them_equal():
    weights = fit_on_simplex(*of_gaps([[[1.0, 1.0, -1.0]] * 5]))
    assert_close(weights, torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64), atol=1e-6, rtol=0)


def test_a_larger_kl_weight_keeps_weights_nearer_to_uniform():
    parts, places = of_gaps([[[1.0, 0.0, -1.0]] * 4])
    first = [
        float(fit_on_simplex(parts, places, kl_weight)[0, 0]) for kl_weight in (0.0, 0.1, 1.0, 10.0, 1e3)
    ]
    assert all(more > less for more, less in itertools.pairwise(first))
    assert first[0] == pytest.approx(1, abs=1e-6)
    assert first[-1] == pytest.approx(1 / 3, abs=1e-2)


def test_ties_say_nothing_and_options_tied_for_best_count_as_their_mean():
    parts, _ = random_choices(1, 1, 4, 3, 3, 1.0)
    places = torch.tensor([[[0, 1, 1], [0, 0, 0], [0, 0, 1], [0, 0, -1]]])
    mean = parts[:, :, :2].mean(2, keepdim=True)
    pairs = torch.cat([parts[:, 2:3, 2:], mean[:, 2:3]], 2)  # the worse, then the mean of the better
    padded = torch.cat([parts[:, :1], torch.nn.functional.pad(pairs, (0, 0, 0, 1))], 1)
    expected = fit_on_simplex(padded, torch.tensor([[[0, 1, 1], [1, 0, -1]]]))
    assert_close(fit_on_simplex(parts, places), expected, atol=1e-7, rtol=0)


def test_neither_order_nor_padding_nor_company_makes_a_difference():
    parts, places = random_choices(2, 3, 6, 3, 4, 1.0)
    weights = fit_on_simplex(parts, places, 0.1)
    choices, options = torch.randperm(6), torch.tensor([2, 0, 1])
    moved = fit_on_simplex(parts[:, choices][:, :, options], places[:, choices][:, :, options], 0.1)
    assert_close(moved, weights, atol=1e-7, rtol=0)
    padded = torch.nn.functional.pad(parts, (0, 0, 0, 1, 2, 1), value=9.0)
    there = torch.nn.functional.pad(places, (0, 1, 2, 1), value=-1)
    assert_close(fit_on_simplex(padded, there, 0.1), weights, atol=1e-7, rtol=0)
    assert_close(fit_on_simplex(parts[1:2], places[1:2], 0.1), weights[1:2], atol=1e-9, rtol=0)


def test_single_precision_comes_back_single():
    parts, places = random_choices(3, 2, 5, 2, 3, 1.0)
    weights = fit_on_simplex(parts.float(), places)
    assert weights.dtype is torch.float32
    assert_close(weights.double(), fit_on_simplex(parts, places), atol=1e-4, rtol=0)
