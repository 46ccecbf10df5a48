"""`fit_on_simplex`: how much of each of a few rewards a user has, most likely, given their choices."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Smaller targets would let rounding move weights that the choices cannot tell apart.
_SHRINK, _SMALLEST, _STAY_INSIDE = 0.1, 1e-8, 0.99


@torch.no_grad()
def fit_on_simplex(
    parts: Float[Tensor, "b n k r"],
    places: Int[Tensor, "b n k"],
    kl_weight: float = 0.0,
    steps: int = 20,
) -> Float[Tensor, "b r"]:
    """Weights w >= 0 of sum 1 under which the rewards `parts @ w` make each user's choices likeliest.

    Minimises, for every user by themselves, minus the sum of the log-probabilities of their choices, by
    Bradley-Terry-Luce, plus `kl_weight` KL(w || uniform). Of a ranking the first place is read; equal best
    options count as their mean; complete ties and padding say nothing. No choices, and choices that all
    weights explain alike, give the point farthest from the simplex's edges; for no choice at all that is the
    uniform one.

    The problem is convex. It is solved by a primal-dual interior-point method: Newton steps on

        slope - price = level,  w * price = target,  sum w = 1,

    where `price` >= 0 says by how much a weight at zero would cost more than those in use, and `target`
    shrinks tenfold a step. No step size has to be chosen, and all users are solved at once. In double
    precision, because weights at zero make the system stiff.

    Args:
        parts: Rewards of each option in nats, one of each kind.
        places: 0 for the best option, -1 for padding (`fsa.types.ChoiceBatch`).
        kl_weight: Nats of loss per nat of KL, >= 0; larger keeps weights near uniform.
        steps: Newton steps. 20 bring the loss to within 1e-5 nats of the least where options differ by
            tens of nats at most; beyond, a few users with few choices may need 40.

    Reference:
        [Boyd2004] Convex Optimization, Sec. 11.7: primal-dual interior-point methods.
    """
    gaps, is_rival = leads(parts.double(), places)
    weights = gaps.new_full((len(gaps), gaps.shape[-1]), 1 / gaps.shape[-1])
    slope, _ = _derivatives(weights, gaps, is_rival, kl_weight)
    lowest = slope.amin(-1, keepdim=True)
    price = (
        slope - lowest + 0.1 * (slope.amax(-1, keepdim=True) - lowest) + 0.1
    )  # above zero: not yet decided
    for step in range(steps):
        slope, curvature = _derivatives(weights, gaps, is_rival, kl_weight, careful=2 * step < steps)
        target = (_SHRINK * (weights * price).mean(-1, keepdim=True)).clamp(min=_SMALLEST)
        move = _newton(weights, price, target / weights - slope, curvature)
        price_move = (target - price * move) / weights - price
        share = torch.minimum(_most(weights, move), _most(price, price_move))
        weights, price = weights + share * move, price + share * price_move
    return (weights / weights.sum(-1, keepdim=True)).to(parts.dtype)


def _derivatives(
    weights: Float[Tensor, "b r"],
    gaps: Float[Tensor, "b n j r"],
    is_rival: Bool[Tensor, "b n j"],
    kl_weight: float,
    careful: bool = False,
) -> tuple[Float[Tensor, "b r"], Float[Tensor, "b r r"]]:
    """Slope and curvature of the loss at some weights, the slope up to a constant.

    A choice that is surely mispredicted has hardly any curvature, and a Newton step from there goes too far.
    A `careful` one is told of the curvature that such a choice has on the way to being predicted.
    """
    margin = torch.einsum("bnjr,br->bnj", gaps, weights)
    against = torch.where(is_rival, -margin, -torch.inf)
    # The best option itself has a gap of zero to itself.
    log_probs = torch.cat([margin.new_zeros(*margin.shape[:2], 1), against], -1).log_softmax(-1)
    lost, surprise = log_probs[..., 1:].exp(), -log_probs[..., :1]  # [b, n, j] and [b, n, 1]
    mean = torch.einsum("bnj,bnjr->bnr", lost, gaps)
    spread = (lost.sqrt().unsqueeze(-1) * gaps).flatten(1, 2)
    known = 1 - 1 / (2 + surprise) if careful else 1.0
    curvature = spread.mT @ spread - mean.mT @ (known * mean) + torch.diag_embed(kl_weight / weights)
    return kl_weight * weights.log() - mean.sum(1), curvature


def _newton(
    weights: Float[Tensor, "b r"],
    price: Float[Tensor, "b r"],
    downhill: Float[Tensor, "b r"],
    curvature: Float[Tensor, "b r r"],
) -> Float[Tensor, "b r"]:
    """The move of sum zero that solves (curvature + price / weights) move = downhill + level.

    Scaled by the root of the weights on both sides, so that nothing in the system grows without end as a
    weight goes to zero.
    """
    root = weights.sqrt()
    system = root.unsqueeze(-1) * curvature * root.unsqueeze(-2) + torch.diag_embed(price)
    solved = torch.linalg.solve(system, torch.stack([root * downhill, root], -1)) * root.unsqueeze(-1)
    free, level = solved.unbind(-1)
    return free - level * (free.sum(-1, keepdim=True) / level.sum(-1, keepdim=True))


def _most(values: Float[Tensor, "b r"], move: Float[Tensor, "b r"]) -> Float[Tensor, "b 1"]:
    """The largest share of a move, up to all of it, that leaves every value above zero."""
    until_zero = torch.where(move < 0, -values / move, torch.inf).amin(-1, keepdim=True)
    return (_STAY_INSIDE * until_zero).clamp(max=1)


def leads(
    parts: Float[Tensor, "b n k r"], places: Int[Tensor, "b n k"]
) -> tuple[Float[Tensor, "b n j r"], Bool[Tensor, "b n j"]]:
    """By how much the best option exceeds each other one, and where there is a worse one; zeros elsewhere.

    Equal best options count as their mean.

    Args:
        parts: Numbers of each option.
        places: 0 for the best option, -1 for padding.
    """
    is_there, is_best = places >= 0, places == 0
    parts = torch.where(is_there.unsqueeze(-1), parts, 0)
    share = is_best.to(parts.dtype) / is_best.sum(-1, keepdim=True).clamp(min=1)
    best = torch.einsum("bnkr,bnk->bnr", parts, share)
    others = torch.where(is_there, places, places.shape[-1]).argsort(dim=-1, stable=True)[..., 1:]
    is_rival = places.gather(-1, others) > 0
    gaps = best.unsqueeze(2) - parts.gather(2, others.unsqueeze(-1).expand(*others.shape, parts.shape[-1]))
    return torch.where(is_rival.unsqueeze(-1), gaps, 0), is_rival
