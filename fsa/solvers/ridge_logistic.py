"""`ridge_logistic`: the best linear reward of each user's choices, by Newton's method, all users at once."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_MOST_STEPS = 30
_SHARES = 0.5 ** torch.arange(8.0)  # of a Newton step: the largest that makes nothing worse is taken


def ridge_logistic(
    difference: Float[Tensor, "b n d"], ridge: float | Float[Tensor, ""]
) -> Float[Tensor, "b d"]:
    """Weights w that minimise sum_i log(1 + exp(-w . x_i)) + ridge / 2 |w|^2, for each user.

    That is Bradley-Terry-Luce on differences x, better - worse, under a normal prior; equally logistic
    regression without intercept on x and -x. Rows of zeros change nothing, and no rows at all give zero.

    A solution is differentiable in `ridge` and in `difference`: the last Newton step is taken with gradients
    from a point where the loss is flat, which by the implicit function theorem gives exact ones.

    Args:
        difference: Better minus worse; zeros for padding.
        ridge: Strength of the prior, > 0; larger keeps rewards smaller.

    Reference:
        [BradleyTerry1952]; [Bishop2006] Sec. 4.3.3: Newton's method for logistic regression.
    """
    ridge = torch.as_tensor(ridge, dtype=difference.dtype, device=difference.device)
    with torch.no_grad():
        weight = _solved(difference, ridge)
    return weight - _newton_step(difference, weight, ridge)


def _solved(difference: Float[Tensor, "b n d"], ridge: Float[Tensor, ""]) -> Float[Tensor, "b d"]:
    weight = difference.new_zeros(len(difference), difference.shape[2])
    shares = _SHARES.to(weight)
    near = torch.finfo(weight.dtype).eps ** 0.5  # a Newton step from this near is exact to precision
    for _ in range(_MOST_STEPS):
        step = _newton_step(difference, weight, ridge)
        tried = weight - shares[:, None, None] * step  # [t, b, d]
        before, after = _loss(difference, weight[None], ridge), _loss(difference, tried, ridge)
        is_no_worse = after <= before * (1 + near)
        share = shares[is_no_worse.int().argmax(0)]  # the first, so the largest
        weight = weight - share[:, None] * step
        if (step.abs() <= near * (1 + weight.abs())).all():
            break
    return weight


def _loss(
    difference: Float[Tensor, "b n d"], weight: Float[Tensor, "t b d"], ridge: Float[Tensor, ""]
) -> Float[Tensor, "t b"]:
    margin = torch.einsum("bnd,tbd->tbn", difference, weight)
    return functional.softplus(-margin).sum(-1) + ridge / 2 * weight.square().sum(-1)


def _newton_step(
    difference: Float[Tensor, "b n d"], weight: Float[Tensor, "b d"], ridge: Float[Tensor, ""]
) -> Float[Tensor, "b d"]:
    """Inverse Hessian times gradient; no gradient flows through the Hessian."""
    wrong = torch.sigmoid(-torch.einsum("bnd,bd->bn", difference, weight))
    slope = ridge * weight - torch.einsum("bnd,bn->bd", difference, wrong)
    curvature = (wrong * (1 - wrong)).detach()
    scaled = curvature.sqrt().unsqueeze(-1) * difference.detach()  # the Hessian is scaled' scaled + ridge I
    return _solve(scaled, ridge.detach(), slope)


def _solve(
    scaled: Float[Tensor, "b n d"], ridge: Float[Tensor, ""], slope: Float[Tensor, "b d"]
) -> Float[Tensor, "b d"]:
    """(scaled' scaled + ridge I)^-1 slope, in whichever of n and d is smaller."""
    n, d = scaled.shape[1:]
    if n >= d:
        hessian = scaled.mT @ scaled + ridge * torch.eye(d).to(scaled)
        return torch.cholesky_solve(slope.unsqueeze(-1), torch.linalg.cholesky(hessian)).squeeze(-1)
    # Woodbury's identity; a few choices in many dimensions make a small matrix.
    dual = scaled @ scaled.mT + ridge * torch.eye(n).to(scaled)
    part = torch.cholesky_solve(scaled @ slope.unsqueeze(-1), torch.linalg.cholesky(dual))
    return (slope - (scaled.mT @ part).squeeze(-1)) / ridge
