"""The first stage of a training run: what people share, learned before anything personal."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from torch import Tensor

from fsa.choices.splits import Splits
from fsa.encoders.no_context import NoContext
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.samplers import samplers
from fsa.training.checkpoints import BEST, CHECKPOINTS, read_checkpoint
from fsa.training.datamodule import EpisodeData, EpisodeSettings
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule
from fsa.training.population import PopulationReward

POPULATION = Path(CHECKPOINTS, "population")
"""In the run folder: the first stage, as a run of its own."""


def fit_population(
    module: ChoiceModule,
    parted: Splits,
    matrix: Tensor,
    episodes: EpisodeSettings,
    loop: Loop,
    folder: Path,
    resume: bool,
) -> dict[str, Any]:
    """Train the population's reward to its own optimum, where a model has one, and hold it from then on.

    What people share is learned without choices being read, so that what sets a person apart is
    learned from what is left: choices can then help and need not harm.

    Returns:
        What to remember of this stage; nothing where there is none.
    """
    part = module.scorer.population_part()
    if part is None:
        return {}
    alone = PopulationReward(*part)
    settings = episodes.without_context()
    stage = ChoiceModule(
        NoContext(1, 1),
        alone,
        module.likelihood,
        module.objective,
        module.optimizer,
        context_sizes=settings.context_sizes,
        seed=module.seed,
        num_choices=module.num_choices,
    )
    draws, frozen = samplers(parted, settings, module.seed)
    stage_data = EpisodeData(draws, frozen, matrix, settings)
    outcome = loop.fit(stage, stage_data, folder / POPULATION, resume, from_start=True)
    alone.requires_grad_(False)
    return {f"population_{name}": value for name, value in outcome.items()}


def population_model(model: RewardModel, folder: Path) -> RewardModel | None:
    """One model for all users: what the first stage of a run left, before any choice was read.

    Args:
        model: What the run trained.
        folder: Its run folder.

    Returns:
        None where the run has no such stage.
    """
    best, part = folder / POPULATION / CHECKPOINTS / BEST, model.scorer.population_part()
    if part is None or not best.exists():
        return None
    scorer, likelihood = copy.deepcopy((PopulationReward(*part), model.likelihood))
    weights = read_checkpoint(best)["state_dict"]
    for name, module in (("scorer", scorer), ("likelihood", likelihood)):
        start = f"{name}."
        module.load_state_dict({n.removeprefix(start): w for n, w in weights.items() if n.startswith(start)})
    config = {**model.config, "d_belief": 1}
    return RewardModel.from_parts(
        config,
        model.projection,
        encoder=NoContext(model.projection.width, 1),
        scorer=scorer,
        likelihood=likelihood,
        features=model.features,
    )
