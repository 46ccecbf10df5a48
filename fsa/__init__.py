"""Few-shot steerable alignment: one person's reward model from three to ten of their choices."""

from pkgutil import resolve_name
from typing import Any

from fsa.outputs.policy import Policy, PolicyPerson
from fsa.outputs.reward_model import Person, RewardModel, Scores
from fsa.types import Choice, Pick, Ranking, Tie

__all__ = [
    "Choice",
    "Person",
    "Pick",
    "Policy",
    "PolicyPerson",
    "Ranking",
    "RewardModel",
    "Scores",
    "Tie",
    "fit",
]


def __getattr__(name: str) -> Any:
    """`fit`, imported when it is asked for: what trains takes seconds to import."""
    if name == "fit":
        return resolve_name("fsa.recipes.fit:fit")
    raise AttributeError(f"module 'fsa' has no attribute {name!r}")
