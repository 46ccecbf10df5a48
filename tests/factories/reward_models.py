"""Reward models with random weights, and people who choose between two numbers each."""

from typing import Any

import numpy as np
import torch

from fsa.features.projection import Projection
from fsa.outputs.reward_model import FORMAT, RewardModel

DEEP_SET = {"class_path": "fsa.encoders.deep_set.DeepSet"}
BILINEAR = {"class_path": "fsa.models.bilinear.Bilinear"}
BTL = {"class_path": "fsa.likelihoods.btl.BradleyTerryLuce"}
WORDS = [f"w{i}" for i in range(60)]


def part(path: str, **init_args: Any) -> dict[str, Any]:
    """A part in plain form."""
    return {"class_path": f"fsa.{path}", "init_args": init_args}


def small_model(seed: int = 0, **parts: Any) -> RewardModel:
    """Over two numbers, with random weights."""
    plain = {"num_components": None, "extras": []}
    projection = Projection(**plain).fit(np.eye(3, 2), [(0.0, 0.0)] * 3)
    config = {
        "format": FORMAT,
        "d_feature": 2,
        "encoder": DEEP_SET,
        "scorer": BILINEAR,
        "likelihood": BTL,
        "features": part("features.numeric.Numeric", width=2),
        "projection": part("features.projection.Projection", **plain),
        "d_belief": 3,
        "num_samples": 16,
        **parts,
    }
    return randomised(RewardModel(config, projection), seed)


def taste_model(seed: int = 0, **parts: Any) -> RewardModel:
    """The default's encoder and scorer over two numbers, with random weights: people of four kinds."""
    encoder = part("encoders.taste_posterior.TastePosterior", components=4, units=4)
    return small_model(
        seed, **{"encoder": encoder, "scorer": part("models.taste_reward.TasteReward"), **parts}
    )


def text_model(backbone: Any, seed: int = 0, **features: Any) -> RewardModel:
    """Over the hidden state of a backbone and the length of the text, with random weights."""
    extractor = part("features.hidden_state.HiddenState", backbone=str(backbone), device="cpu", **features)
    plain = {"num_components": 4, "extras": ["log_length"]}
    config = small_model().config | {
        "d_feature": 5,
        "encoder": part("encoders.deep_set.DeepSet", hidden=[8]),
        "features": extractor,
        "projection": part("features.projection.Projection", **plain),
    }
    texts = [text(i, 3 + i % 5) for i in range(20)]
    # Fitted elsewhere, so that the model's own extractor has seen none of the texts yet.
    seen = RewardModel(config | {"d_feature": 2}, small_model().projection).features.extract(texts, texts)
    projection = Projection(**plain).fit(seen, texts)  # type: ignore[arg-type]
    return randomised(RewardModel(config, projection), seed, scale=0.2)


def randomised(model: RewardModel, seed: int, scale: float = 0.5) -> RewardModel:
    """The model with random weights that single precision can hold."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * scale)
    return model


def text(seed: int, length: int = 5) -> str:
    """Words of the small backbones' vocabulary."""
    return " ".join(np.random.default_rng([7, seed]).choice(WORDS, length))


def numbers(seed: int, count: int = 2) -> list[tuple[float, float]]:
    """Options of two numbers each."""
    return [(float(a), float(b)) for a, b in np.random.default_rng([8, seed]).normal(size=(count, 2))]


def choices_of(person: int, count: int, num_options: int = 2) -> list[dict[str, Any]]:
    """Somebody's choices between numbers, as records without a user."""
    return [
        {"options": [list(option) for option in numbers(100 * person + i, num_options)], "chosen": i % 2}
        for i in range(count)
    ]


def text_choices_of(person: int, count: int) -> list[dict[str, Any]]:
    """Somebody's choices between texts, in TRL's form without a user."""
    return [
        {
            "prompt": text(i, 4),
            "chosen": text(50 + 9 * person + i, 3 + i),
            "rejected": text(900 + person * 7 + i),
        }
        for i in range(count)
    ]


def swapped(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same pairs, each chosen the other way round."""
    return [{**choice, "chosen": 1 - choice["chosen"]} for choice in choices]
