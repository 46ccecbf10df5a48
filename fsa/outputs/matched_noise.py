"""Noise that beliefs are averaged over, the same for all people."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def matched_noise(num_samples: int, width: int) -> Float[Tensor, "s z"]:
    """Normal numbers of mean zero and, where they are enough, covariance one: no linear score is off."""
    noise = torch.randn(num_samples, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = noise - noise.mean(0)
    if num_samples <= width:
        return noise
    lower = torch.linalg.cholesky(noise.T @ noise / num_samples)
    return torch.linalg.solve_triangular(lower, noise.T, upper=False).T
