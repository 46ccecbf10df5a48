"""`TasteReward`: what the population likes, and what sets a person apart from it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.scorer import Scorer
from fsa.reward_map import RewardMap, prior_of, rewards_by, taste_maps
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
        taste_precision: float = 30.0,
        population_precision: float = 3.0,
        num_params: int = 1,
    ) -> None:
        super().__init__()
        self.population: RewardMap | None
        self.taste: RewardMap | None
        self.population, self.taste = taste_maps(
            d_feature, num_params, num_params * d_belief, units, dropout, std
        )
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
        return self._at(z, *self._rewards(choices, z.shape[-1]))

    def predictive(
        self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]
    ) -> Float[Tensor, "s b n k p"]:
        """As of every scorer; a pair's rewards lie at the quantiles of their difference, which is normal.

        No chance is in that, so that strangers' odds are even and gradients quiet. Among more options, and
        where an option has several scores, it is samples.
        """
        population, taste = self._rewards(choices, belief.mean.shape[-1])
        here = choices.option_mask
        if self.num_params > 1:
            return self._at(belief.sample(noise), population, taste)
        first = here & (here.cumsum(-1) == 1)
        sign = torch.where(first, 1, -here.to(taste.dtype))  # of the only two options
        spread = belief.std_along(torch.einsum("bnkpz,bnk->bnz", taste, sign))
        places = _quantiles(len(noise)).to(taste).view(-1, 1, 1, 1, 1)
        of_pairs = self._at(belief.mean.unsqueeze(0), population, taste) + (
            places * (spread.unsqueeze(-1) * sign / 2).unsqueeze(-1)
        )
        if here.shape[-1] == 2:
            return of_pairs
        is_pair = here.sum(-1) == 2
        return torch.where(
            is_pair[..., None, None], of_pairs, self._at(belief.sample(noise), population, taste)
        )

    def _rewards(self, choices: ChoiceBatch, d_belief: int) -> tuple[Tensor, Tensor]:
        """The population's scores [b, n, k, p] and what multiplies the latent [b, n, k, p, z]."""
        population, taste = rewards_by(self.maps, choices)
        return population, taste.unflatten(-1, (-1, d_belief))

    def _at(self, z: Tensor, population: Tensor, taste: Tensor) -> Float[Tensor, "s b n k p"]:
        """Scores at some latents."""
        return torch.einsum("bnkpz,sbz->sbnkp", taste, z) + population

    def prior(self) -> Float[Tensor, ""] | float:
        """Minus the log-density of maps of its own under their priors; the encoder counts its own."""
        if self._shared:
            return 0.0
        return prior_of(self.maps, self.precisions)


def _quantiles(number: int) -> Float[Tensor, " s"]:
    """Places of equal weight that stand for a standard normal, of mean 0 and variance 1."""
    middle = (torch.arange(number, dtype=torch.float64) + 0.5) / number
    places = torch.special.ndtri(middle)
    return places / places.square().mean().sqrt().clamp(min=1e-9)
