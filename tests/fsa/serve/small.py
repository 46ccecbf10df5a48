"""Tiny models to serve: of two numbers (`tests.factories.reward_models`), and of measures of a text."""

from typing import Any

import numpy as np

from fsa.features.projection import Projection
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import part, randomised, small_model

MEASURES = ["log_length", "log_words", "log_lines"]
TEXTS = ["Yes.", "No, not at all.", "Well,\nthat is\na long story.", "Perhaps some other day, who knows?"]


def text_rewards(seed: int = 0, **parts: Any) -> RewardModel:
    """Over three measures of a response, with random weights; no backbone is needed."""
    plain = {"num_components": None, "extras": []}
    measured = part("features.measured.Measured", names=MEASURES)
    config = small_model().config | {"d_feature": 3, "features": measured, **parts}
    seen = [[float(i % 3), float(i % 5), float(i % 2)] for i in range(32)]

    projection = Projection(**plain).fit(np.array(seen, np.float32), TEXTS * 8)
    return randomised(RewardModel(config, projection), seed)


def spread_rewards(seed: int = 0) -> RewardModel:
    """The same, whose beliefs are Gaussian."""
    return text_rewards(seed, encoder=part("encoders.particles.Particles", particles=8, spread=True))


def pair(chosen: str, rejected: str, prompt: str = "Tea?") -> dict[str, str]:
    """A choice between two texts, as a record."""
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def choices(count: int, first: int = 0) -> list[dict[str, str]]:
    """Different choices between texts."""
    return [
        pair("word " * (2 + i), "word " * (40 + i), f"Question {i}?") for i in range(first, first + count)
    ]
