"""Random numbers of a training step, made of the seed and counters alone: nothing to keep for resuming."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from fsa.seeding import random_bits

_GAMMA, _MIX_1, _MIX_2 = (
    constant - (1 << 64)  # the same 64 bits as a signed integer, which is what torch has
    for constant in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
# What the numbers are for, so that no other use of the seed gives the same ones.
_BELIEF = 101


def normal_noise(
    seed: int, index: Int64[Tensor, " b"], num_samples: int, width: int
) -> Float[Tensor, "s b z"]:
    """Standard normal numbers of each episode, made where `index` lies, the same on every device and rank.

    Args:
        seed: Seed of the run.
        index: Number of each episode in the run.
        num_samples: Latents per episode; more of them leave the first ones as they are.
        width: Dimensions of the belief.
    """
    sample = torch.arange(num_samples, device=index.device).reshape(-1, 1, 1)
    dimension = torch.arange(width, device=index.device)
    bits = torch_bits(seed, index.new_tensor(_BELIEF), index.reshape(1, -1, 1), sample, dimension)
    # 23 bits and a half: as many as a float32 holds without reaching 0 or 1, whose quantiles are infinite.
    uniform = (_shift(bits, 41).float() + 0.5) * 2.0**-23
    return torch.special.ndtri(uniform)


def seed_torch(device: torch.device, seed: int, *counters: int) -> None:
    """Seed torch's own generators, which dropout draws from, on the CPU and on a device.

    As `torch.manual_seed`, which at each call puts a stack trace on a list for every kind of device that this
    machine does not have: a long training would keep them all.
    """
    bits = int(random_bits(seed, *counters) >> np.uint64(1))
    torch.default_generator.manual_seed(bits)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(bits)


def torch_bits(seed: int, *counters: Int64[Tensor, "*any"]) -> Int64[Tensor, "*all"]:
    """`fsa.seeding.random_bits` on the device of the counters; the same bits, as signed integers."""
    start = int(random_bits(seed))  # of no counters: the mixed seed
    state = counters[0].new_tensor(start - (1 << 64) if start >> 63 else start)
    for counter in counters:
        state = _finalise((state ^ counter) * _GAMMA + _GAMMA)
    return state


def _finalise(state: Tensor) -> Tensor:
    state = (state ^ _shift(state, 30)) * _MIX_1
    state = (state ^ _shift(state, 27)) * _MIX_2
    return state ^ _shift(state, 31)


def _shift(state: Tensor, places: int) -> Tensor:
    """Shift to the right with zeros from the left; torch would repeat the sign."""
    return (state >> places) & ((1 << (64 - places)) - 1)
