"""`AdamW`: the optimiser and its learning-rate schedule, as one part of a configuration."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Literal

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from fsa.errors import ConfigError


class AdamW:
    """AdamW with a warm-up and a schedule over the whole run.

    Args:
        lr: Highest learning rate.
        weight_decay: Decay of matrices, per unit of learning rate; vectors and scalars do not decay.
        warmup: Share of all steps over which the rate grows from zero, 0-1.
        schedule: How the rate falls after that: `cosine` to zero, or `constant`.
        betas: Decay of the running means of the gradient and its square.
        lr_of: Learning rates of parts, by the start of their parameters' names, in place of `lr`: "encoder",
            "scorer.language_model.conditioning". The longest start that fits counts.
    """

    def __init__(
        self,
        lr: float = 3e-3,
        weight_decay: float = 0.1,
        warmup: float = 0.05,
        schedule: Literal["cosine", "constant"] = "cosine",
        betas: tuple[float, float] = (0.9, 0.99),
        lr_of: dict[str, float] | None = None,
    ) -> None:
        self.lr, self.weight_decay, self.betas = lr, weight_decay, betas
        self.warmup, self.schedule = warmup, schedule
        self.lr_of = lr_of or {}

    def build(self, model: nn.Module, num_steps: int) -> tuple[torch.optim.Optimizer, LambdaLR]:
        """The optimiser of a model's trainable parameters and its scheduler, stepped once a step.

        Raises:
            ConfigError: `lr_of` names a part that the model does not have, or that is not trained.
        """
        groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        for part in self.lr_of:
            if not any(name.startswith(part) for name in named):
                raise ConfigError(f"lr_of names {part!r}, but no trained parameter's name starts like that")
        for name, parameter in named.items():
            decay = self.weight_decay if parameter.ndim >= 2 else 0.0
            groups[self._lr(name), decay].append(parameter)
        settings = [{"params": p, "lr": lr, "weight_decay": decay} for (lr, decay), p in groups.items()]
        optimizer = torch.optim.AdamW(settings, betas=self.betas)
        return optimizer, LambdaLR(optimizer, lambda step: self.rate(step, num_steps))

    def _lr(self, name: str) -> float:
        fitting = [part for part in self.lr_of if name.startswith(part)]
        return self.lr_of[max(fitting, key=len)] if fitting else self.lr

    def rate(self, step: int, num_steps: int) -> float:
        """Learning rate at a step as a share of the highest, 0-1."""
        warm = max(round(self.warmup * num_steps), 1)
        if step < warm:
            return (step + 1) / warm
        if self.schedule == "constant":
            return 1.0
        done = min((step - warm) / max(num_steps - warm, 1), 1.0)
        return 0.5 * (1 + math.cos(math.pi * done))
