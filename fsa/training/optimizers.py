"""`AdamW`: the optimiser and its learning-rate schedule, as one part of a configuration."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Literal

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from fsa.errors import ConfigError
from fsa.settings import setting, settings


@settings
class AdamW:
    """AdamW with a warm-up and a schedule over the whole run."""

    lr: float = setting(
        default=3e-3,
        doc="Highest learning rate; larger learns faster until it diverges.",
        at_least=0,
        at_most=1e4,
    )
    weight_decay: float = setting(
        default=0.1,
        doc="Decay of matrices, per unit of learning rate; vectors and scalars do not decay.",
        at_least=0,
    )
    warmup: float = setting(
        default=0.05, doc="Share of all steps over which the rate grows from zero.", at_least=0, at_most=1
    )
    schedule: Literal["cosine", "constant"] = setting(
        default="cosine",
        doc="How the rate falls after that: `cosine` to zero, or `constant`.",
        one_of=("cosine", "constant"),
    )
    betas: tuple[float, float] = setting(
        default=(0.9, 0.99),
        doc="Decay of the running means of the gradient and its square.",
        at_least=0,
        below=1,
    )
    lr_of: dict[str, float] | None = setting(
        default=None,
        doc="Learning rates of parts, by the start of their parameters' names, in place of `lr`: `encoder`, "
        "`scorer.language_model.conditioning`. The longest start that fits counts.",
        at_least=0,
        at_most=1e4,
    )

    def build(self, model: nn.Module, num_steps: int) -> tuple[torch.optim.Optimizer, LambdaLR]:
        """The optimiser of a model's trainable parameters and its scheduler, stepped once a step.

        Raises:
            ConfigError: `lr_of` names a part that the model does not have, or that is not trained.
        """
        groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        for part in self.lr_of or {}:
            if not any(name.startswith(part) for name in named):
                raise ConfigError(f"lr_of names {part!r}, but no trained parameter's name starts like that")
        for name, parameter in named.items():
            decay = self.weight_decay if parameter.ndim >= 2 else 0.0
            groups[self._lr(name), decay].append(parameter)
        groups_of = [{"params": p, "lr": lr, "weight_decay": decay} for (lr, decay), p in groups.items()]
        optimizer = torch.optim.AdamW(groups_of, betas=self.betas)
        return optimizer, LambdaLR(optimizer, lambda step: self.rate(step, num_steps))

    def _lr(self, name: str) -> float:
        lr_of = self.lr_of or {}
        fitting = [part for part in lr_of if name.startswith(part)]
        return lr_of[max(fitting, key=len)] if fitting else self.lr

    def rate(self, step: int, num_steps: int) -> float:
        """Learning rate at a step as a share of the highest, 0-1."""
        warm = max(round(self.warmup * num_steps), 1)
        if step < warm:
            return (step + 1) / warm
        if self.schedule == "constant":
            return 1.0
        done = min((step - warm) / max(num_steps - warm, 1), 1.0)
        return 0.5 * (1 + math.cos(math.pi * done))
