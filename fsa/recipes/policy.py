"""Train a policy by NP-DPO: `python -m train.policy --config configs/policy/sandbox.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsa.models.policy import PolicyScorer
from fsa.outputs.loading import load
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.reward import train_reward
from fsa.recipes.strength import fit_strength
from fsa.training.processes import is_first_process


def train_policy(
    config: Mapping[str, Any],
    scorer: Callable[[int, int], PolicyScorer],
    out: str = "runs/policy",
    strengths: list[float] = [],  # noqa: B006 (never changed; jsonargparse shows it)
    **recipe: Any,
) -> RewardModel:
    """Train a policy that a user's choices steer, and write its run folder.

    A policy is a scorer whose rewards are log-ratios to its reference, so the recipe is that of rewards; see
    `train_reward` for what it takes.

    Args:
        config: The whole configuration in plain form; the command line fills it in.
        scorer: The policy: `fsa.models.policy.PolicyScorer` with its backbone and conditioning.
        out: Run folder to write.
        strengths: Multiples of what was trained to choose among on validation choices after training, see
            `fit_strength`; none leaves the policy as it was trained.
        recipe: Everything else that `train_reward` takes.
    """
    trained = train_reward(config=config, scorer=scorer, out=out, **recipe)
    if not strengths or not is_first_process():
        return trained
    fit_strength(out, strengths, trust_remote_code=True)  # what was trained here ran already
    return load(out, trust_remote_code=True)
