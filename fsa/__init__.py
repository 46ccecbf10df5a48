"""Few-shot steerable alignment: one person's reward model from three to ten of their choices."""

from fsa.outputs.policy import Policy, PolicyPerson
from fsa.outputs.reward_model import Person, RewardModel, Scores
from fsa.types import Choice, Pick, Ranking, Tie

__all__ = ["Choice", "Person", "Pick", "Policy", "PolicyPerson", "Ranking", "RewardModel", "Scores", "Tie"]
