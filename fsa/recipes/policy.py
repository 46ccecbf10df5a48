"""Train a policy by NP-DPO: `python -m train.policy --config configs/policy/sandbox.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsa.models.policy import PolicyScorer
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.reward import train_reward


def train_policy(
    config: Mapping[str, Any],
    scorer: Callable[[int, int], PolicyScorer],
    out: str = "runs/policy",
    **recipe: Any,
) -> RewardModel:
    """Train a policy that a user's choices steer, and write its run folder.

    A policy is a scorer whose rewards are log-ratios to its reference, so the recipe is that of rewards; see
    `train_reward` for what it takes.

    Args:
        config: The whole configuration in plain form; the command line fills it in.
        scorer: The policy: `fsa.models.policy.PolicyScorer` with its backbone and conditioning.
        out: Run folder to write.
        recipe: Everything else that `train_reward` takes.
    """
    return train_reward(config=config, scorer=scorer, out=out, **recipe)
