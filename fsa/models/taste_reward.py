"""`TasteReward`: what the population likes, and what sets a person apart from it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.reward_map import RewardMap
from fsa.types import Belief, ChoiceBatch


class TasteReward(Scorer):
    """Reward population(x) + z . taste(x) of an option's features x, both maps `RewardMap`s.

    With the encoder `fsa.encoders.taste_posterior.TastePosterior` the maps are the encoder's, which reads
    choices by the same reward: then the belief is Bayes' rule for what is predicted. With any other encoder
    the maps are this scorer's own; with `NoContext` z is zero, which leaves one reward for all people.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the belief.
        units: Hidden units of maps of its own; see `RewardMap`.
        dropout: Share of hidden units dropped in training, 0-1.
        std: Size of a taste map of its own at the start.
        taste_precision: Precision of the Gaussian prior over the weights of a taste map of its own, >= 0.
        population_precision: The same of the population map, also where it is the encoder's.
        num_params: Scores per option, as many as the likelihood's; one with maps of the encoder.

    Reference:
        [Kobalczyk2024] Eq. 4: a Bradley-Terry-Luce reward conditioned on z; the sum is our choice of form.
    """

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        units: int = 128,
        dropout: float = 0.1,
        std: float = 0.2,
        taste_precision: float = 10.0,
        population_precision: float = 3.0,
        num_params: int = 1,
    ) -> None:
        super().__init__()
        self.population: RewardMap | None = RewardMap(d_feature, num_params, units, dropout)
        self.taste: RewardMap | None = RewardMap(d_feature, num_params * d_belief, units, dropout, std)
        self.precisions, self.num_params = (population_precision, taste_precision), num_params
        self._shared: tuple[RewardMap, ...] = ()  # in a tuple: the encoder has registered them already

    def bind(self, encoder: nn.Module) -> None:
        maps = [getattr(encoder, name, None) for name in ("population", "taste")]
        if not all(isinstance(each, RewardMap) for each in maps):
            return
        if self.num_params > 1:
            raise ConfigError(
                f"num_params is {self.num_params}, but the maps of {type(encoder).__name__} give one reward"
            )
        self.population = self.taste = None
        self._shared = tuple(each for each in maps if isinstance(each, RewardMap))

    @property
    def maps(self) -> tuple[RewardMap, ...]:
        """The population's map and the taste's."""
        return self._shared or tuple(each for each in (self.population, self.taste) if each is not None)

    def population_part(self) -> tuple[RewardMap, float] | None:
        return (self._shared[0], self.precisions[0]) if self._shared else None

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        features = torch.where(choices.option_mask.unsqueeze(-1), choices.features, 0)
        population, taste = (reward_map(features) for reward_map in self.maps)
        taste = taste.unflatten(-1, (-1, z.shape[-1]))  # [b, n, k, p, z]
        return torch.einsum("bnkpz,sbz->sbnkp", taste, z) + population

    def prior(self) -> Float[Tensor, ""] | float:
        """Minus the log-density of maps of its own under their priors; the encoder counts its own."""
        if self._shared:
            return 0.0
        return sum(weight * each.prior() for weight, each in zip(self.precisions, self.maps, strict=True))
