"""A run small enough to train in a second: two types of users over one number."""

from typing import Any

import lightning as L
import torch
from torch import nn

from fsa.choices.splits import Splitter
from fsa.choices.synthetic import Synthetic
from fsa.encoders.deep_set import DeepSet
from fsa.episodes.sampler import EpisodeSampler
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.bilinear import Bilinear
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.objective import Objective
from fsa.training.datamodule import EpisodeData, EpisodeSettings
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW

SIZES = (0, 3)


def small_data(**settings: Any) -> EpisodeData:
    """Episodes of forty users; every call gives the same."""
    table = Synthetic(num_users=40).load()
    parted = Splitter(by="user")(table)
    defaults = {"max_context": 4, "max_targets": 4, "users_per_step": 8, "validation_episodes": 20}
    chosen = EpisodeSettings(**{**defaults, "context_sizes": SIZES, **settings})
    samplers = (
        EpisodeSampler(parted.train, chosen.max_context, chosen.max_targets, seed=3),
        EpisodeSampler(parted.validation, max(chosen.context_sizes), chosen.max_targets, in_turn=True),
    )
    y = torch.from_numpy(table.numbers).float()
    return EpisodeData(*samplers, torch.cat([y, y.square(), y.cos()], 1), chosen)


def small_module(
    dropout: float = 0.0, spread: bool = False, objective: Objective | None = None, seed: int = 3
) -> ChoiceModule:
    """Every call gives the same weights."""
    L.seed_everything(0, verbose=False)
    encoder = DeepSet(3, 4, hidden=[8], dropout=dropout, spread=spread)
    return ChoiceModule(
        encoder,
        Bilinear(3, 4, dropout=dropout),
        BradleyTerryLuce(),
        objective or NegativeLogLikelihood(),
        AdamW(lr=0.05),
        num_samples=2 if spread else 1,
        context_sizes=SIZES,
        seed=seed,
    )


def small_loop(**settings: Any) -> Loop:
    """Twelve steps on the CPU, validated every four."""
    defaults = {"max_steps": 12, "validate_every": 4, "accelerator": "cpu", "devices": 1, "progress": False}
    return Loop(**{**defaults, **settings})


class CutOff(Exception):
    """The power went."""


def cut_off(module: ChoiceModule, step: int) -> ChoiceModule:
    """The module, which now dies right before the optimiser's step of this number, counted from 0."""
    build = module.optimizer.build

    def build_dying(model: nn.Module, num_steps: int) -> Any:
        optimizer, schedule = build(model, num_steps)

        def die(*_: Any) -> None:
            if schedule.last_epoch == step:
                raise CutOff

        optimizer.register_step_pre_hook(die)
        return optimizer, schedule

    module.optimizer.build = build_dying
    return module
