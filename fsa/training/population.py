"""`PopulationReward`: the reward that all people share, as a model to be trained before anything personal."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from fsa.models.scorer import Scorer
from fsa.reward_map import RewardMap
from fsa.types import Belief, ChoiceBatch


class PopulationReward(Scorer):
    """The population's map of another scorer alone: the same reward under any belief.

    Args:
        reward_map: The map, which is trained in place.
        precision: Precision of the Gaussian prior over the map's weights, >= 0.
    """

    def __init__(self, reward_map: RewardMap, precision: float) -> None:
        super().__init__()
        self.map, self.precision = reward_map, precision

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k 1"]:
        reward = self.map.of(choices)
        return reward.repeat(len(z), 1, 1, 1, 1)

    def prior(self) -> Float[Tensor, ""]:
        """Minus the log-density of the weights under their prior, in nats, up to a constant."""
        return self.precision * self.map.prior()
