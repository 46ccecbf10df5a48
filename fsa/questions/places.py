"""Places that stand for a belief: points with weights, over which functions of it are averaged."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.types import Belief

FEWEST_PLACES = 256


def is_point(belief: Belief) -> bool:
    """Whether there is no doubt in a belief about one user."""
    return not bool((belief.std > 0).any())


def places_of(belief: Belief) -> tuple[Float[Tensor, "s 1 z"], Float[Tensor, " s"]]:
    """Places of a belief about one user, and the probability of each.

    Quasi-random, each with its opposite, and stretched so that mean and covariance are those of the belief:
    averages of linear and quadratic functions are exact, and what an answer is worth is right within
    3 % in four directions and a tenth in 16. The same places for every person, so that worths can be
    compared.
    """
    if is_point(belief):
        return belief.mean.unsqueeze(0), belief.mean.new_ones(1)
    normal = _standard_normal(belief.mean.shape[1]).to(belief.mean)
    places = belief.mean + belief.std * normal.unsqueeze(1)
    return places, belief.mean.new_full((len(places),), 1 / len(places))


@cache
def _standard_normal(width: int) -> Float[Tensor, "s z"]:
    """Places of a standard normal: twice as many on either side as it has directions, or more."""
    sobol = torch.quasirandom.SobolEngine(width, scramble=True, seed=0)
    uniform = sobol.draw(max(FEWEST_PLACES // 2, 2 * width), dtype=torch.float64)
    # Never 0 or 1, whose normal numbers are infinite.
    normal = torch.special.ndtri(uniform.clamp(1e-9, 1 - 1e-9))
    spread = torch.linalg.cholesky(normal.T @ normal / len(normal))
    normal = torch.linalg.solve_triangular(spread, normal.T, upper=False).T
    return torch.cat([normal, -normal])
