"""Policies with random weights over a tiny backbone."""

from pathlib import Path

import numpy as np
import torch

from fsa.features.projection import Projection
from fsa.outputs.person import Person
from fsa.outputs.policy import FORMAT, Policy
from tests.factories.reward_models import BTL, part, text

PROMPTS = [text(7, 3), text(8, 9), text(9, 5)]


def make_policy(backbone: Path, seed: int = 0, conditioning: str = "lora_gain.LoraGain", **scorer) -> Policy:
    plain = {"num_components": 4, "extras": ["log_length"]}
    config = {
        "format": FORMAT,
        "d_feature": 5,
        "encoder": part("encoders.deep_set.DeepSet", hidden=[8]),
        "scorer": part(
            "models.policy.PolicyScorer",
            backbone=str(backbone),
            conditioning=part(f"conditioning.{conditioning}"),
            **{"rank": 8, "beta": 0.5, **scorer},
        ),
        "likelihood": BTL,
        "features": part("features.hidden_state.HiddenState", backbone=str(backbone), device="cpu"),
        "projection": part("features.projection.Projection", **plain),
        "d_belief": 3,
        "num_samples": 16,
    }
    texts = [text(i, 3 + i % 5) for i in range(20)]
    seen = np.random.default_rng(0).normal(size=(20, 16)).astype(np.float32)
    policy = Policy(config, Projection(**plain).fit(seen, texts))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in policy.parameters():
            if weight.requires_grad:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return policy


def logits_of(policy: Policy, person: Person, ids: torch.Tensor) -> torch.Tensor:
    model = policy.scorer.language_model
    z = person.belief.mean.float().expand(len(ids), -1)
    with torch.no_grad():
        return model.hidden(ids, torch.ones_like(ids, dtype=torch.bool), z) @ model.head.T
