"""What draws the episodes of a training run."""

from __future__ import annotations

from fsa.choices.splits import Splits
from fsa.episodes.sampler import EpisodeSampler
from fsa.errors import ConfigError
from fsa.training.datamodule import EpisodeSettings


def samplers(parted: Splits, episodes: EpisodeSettings, seed: int) -> tuple[EpisodeSampler, EpisodeSampler]:
    """What draws training episodes, and what draws the frozen validation episodes of every seed.

    Raises:
        ConfigError: One of the two splits holds no choices.
    """
    for name, part in (("train", parted.train), ("validation", parted.validation)):
        if not len(part):
            raise ConfigError(
                f"the {name} split holds no choices; training needs some (see --splits.fractions)"
            )
    train = EpisodeSampler(parted.train, episodes.max_context, episodes.max_targets, seed)
    largest = max(episodes.context_sizes)
    return train, EpisodeSampler(parted.validation, largest, episodes.max_targets, seed=0, in_turn=True)
