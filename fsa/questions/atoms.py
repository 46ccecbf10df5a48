"""Atoms: weighted latents that stand for a belief, over which functions of it are averaged."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.mixtures import Mixture
from fsa.types import Belief

FEWEST_ATOMS = 256


def atoms_of(belief: Belief) -> tuple[Float[Tensor, "s 1 z"], Float[Tensor, " s"]]:
    """Atoms of a belief about one user, and the probability of each.

    Quasi-random and stretched so that mean and covariance are those of the belief: averages of linear and
    quadratic functions are exact, and what an answer is worth is right within 3 % in four directions and a
    tenth in 16. Of a Gaussian each comes with its opposite; each component of a mixture has its share. The
    same normal numbers for every person, so that worths can be compared.
    """
    if not (belief.std > 0).any():  # no doubt
        return belief.mean.unsqueeze(0), belief.mean.new_ones(1)
    normal = _standard_normal(belief.mean.shape[1]).to(belief.mean).unsqueeze(1)
    atoms = belief.sample(normal) if belief.mixture is None else _of_mixture(belief, belief.mixture, normal)
    return atoms, belief.mean.new_full((len(atoms),), 1 / len(atoms))


def _of_mixture(belief: Belief, mixture: Mixture, normal: Float[Tensor, "s 1 z"]) -> Float[Tensor, "s 1 z"]:
    """Samples of the mixture, stretched to the belief's own mean and covariance."""
    assert belief.factor is not None, "a mixture has a covariance"
    # Shuffled once: neighbours in the sequence would share a component.
    order = torch.randperm(len(normal), generator=torch.Generator().manual_seed(0)).to(normal.device)
    drawn = mixture.sample(normal[order])[0][:, 0]
    apart = drawn - drawn.mean(0)
    had = torch.linalg.cholesky(apart.T @ apart / len(apart))
    stretched = belief.factor[0] @ torch.linalg.solve_triangular(had, apart.T, upper=False)
    return (belief.mean + stretched.T).unsqueeze(1)


@cache
def _standard_normal(width: int) -> Float[Tensor, "s z"]:
    """Atoms of a standard normal: twice as many on either side as it has directions, or more."""
    sobol = torch.quasirandom.SobolEngine(width, scramble=True, seed=0)
    uniform = sobol.draw(max(FEWEST_ATOMS // 2, 2 * width), dtype=torch.float64)
    # Never 0 or 1, whose normal numbers are infinite.
    normal = torch.special.ndtri(uniform.clamp(1e-9, 1 - 1e-9))
    spread = torch.linalg.cholesky(normal.T @ normal / len(normal))
    normal = torch.linalg.solve_triangular(spread, normal.T, upper=False).T
    return torch.cat([normal, -normal])
