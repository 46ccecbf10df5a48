"""`TasteReward`: what the population likes, and what sets a person apart from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.models.pairs import Pairs
from fsa.models.scorer import Scorer, Spread
from fsa.models.text_doubt import Seen, TextDoubt, moment
from fsa.predictive import Predictive
from fsa.reward_map import RewardMap, hidden_by, of_hidden_by, prior_of, rewards_by, taste_maps
from fsa.types import Belief, ChoiceBatch, EpisodeBatch

_HELD_BACK = 10.0  # times the usual precision of the prior over tastes
_ALIKE = 2.0  # features whose spreads are nearer than this are about equally loud as they are
_LEAST = 1e-3  # spread below which a feature is noise
_MOST = math.log(4)  # either way, of the factors of a calibration
_SAMPLES = 16
_FREEDOM = 0.5  # standard deviation of their logs, before validation is looked at
_NEAR_ENOUGH = 1e-2, 1e-4  # slope in nats, and change, at which they are found


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

    factor: Float[Tensor, ""] | None
    width: Float[Tensor, ""] | None
    growth: Float[Tensor, " 2"] | None

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
        self.doubt = TextDoubt(self.precisions)
        # For probabilities, see `calibrate`.
        self.register_buffer("factor", None)
        self.register_buffer("width", None)
        self.register_buffer("growth", None)
        # In tuples: they have been registered already.
        self._shared: tuple[RewardMap, ...] = ()
        self._encoder: tuple[nn.Module, ...] = ()
        self._members = 1

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
        self._encoder, self._members = (encoder,), getattr(encoder, "members", 1)

    @property
    def maps(self) -> tuple[RewardMap, ...]:
        """The population's map and the taste's."""
        return self._shared or tuple(each for each in (self.population, self.taste) if each is not None)

    def population_part(self) -> tuple[RewardMap, float] | None:
        return (self._shared[0], self.precisions[0]) if self._shared else None

    def forms(self, spread: Float[Tensor, " d"]) -> dict[str, Callable[[], None]]:
        """As of every scorer, where features differ in spread, as components of texts do: tastes held back by
        a stronger prior, and a network that reads all features equally loud."""
        spread = spread.clamp(min=_LEAST)
        if not self._shared or self._shared[1].deep is None or float(spread.max() / spread.min()) < _ALIKE:
            return {}
        taste, (encoder,), (shared, usual) = self._shared[1], self._encoder, self.precisions

        def take(size: Tensor | None, precision: float) -> None:
            taste.read_at(size)
            self.precisions = self.doubt.precisions = (shared, precision)
            encoder.precisions = self.precisions  # type: ignore[assignment] # of TastePosterior

        return {
            "usual": partial(take, None, usual),
            "held back": partial(take, None, _HELD_BACK * usual),
            "equally loud": partial(take, 1 / spread, usual),
        }

    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        return self._at(z, *self._rewards(choices, z.shape[-1]))

    def predictive(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Predictive:
        """As of every scorer: of pairs without chance (`Pairs`), of more options and where an option has
        several scores by samples."""
        rewards = self._rewards(choices, belief.mean.shape[-1])
        pairs = self._pairs(choices, belief, rewards)
        if self.factor is None or self.width is None:
            return self._averaged(choices, belief, rewards, pairs, noise)
        return self._averaged(choices, belief, rewards, pairs, noise, self.factor, self.width, self.growth)

    def _pairs(self, choices: ChoiceBatch, belief: Belief, rewards: tuple[Tensor, Tensor]) -> Pairs | None:
        if self.num_params > 1:
            return None
        return Pairs.of(choices, belief, rewards[0][..., 0], rewards[1][..., 0, :], self._members)

    def _averaged(
        self,
        choices: ChoiceBatch,
        belief: Belief,
        rewards: tuple[Tensor, Tensor],
        pairs: Pairs | None,
        noise: Tensor,
        factor: Tensor | None = None,
        width: Tensor | None = None,
        growth: Tensor | None = None,
    ) -> Predictive:
        """Scores to average over, as sure as `calibrate` found."""
        population, taste = rewards
        if pairs is None:
            return Predictive(self._at(belief.sample(noise), population, taste))
        if factor is not None and growth is not None and belief.seen is not None:
            power, most = growth
            factor = factor * (power * torch.log1p(belief.seen.minimum(most))).exp()
        of_pairs, here = pairs.predictive(len(noise), factor, width), choices.option_mask
        if here.shape[-1] == 2:
            return of_pairs
        if factor is not None and width is not None:
            by = factor.view(-1, 1, 1, 1)
            belief, population, taste = belief.spread_by(width), by * population, by.unsqueeze(-1) * taste
        return of_pairs.where(here.sum(-1) == 2, self._of_samples(belief, noise, population, taste))

    def spread(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Spread:
        """As of every scorer, without samples; and with the doubt about texts (`TextDoubt`), if fitted."""
        return self._spread(self._hidden(choices), belief)

    def predictive_and_spread(
        self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]
    ) -> tuple[Predictive, Spread]:
        return self.predictive(choices, belief, noise), self.spread(choices, belief, noise)

    def spread_between(self, choices: ChoiceBatch, belief: Belief) -> Spread:
        """The same of the difference of rewards within each choice, better less worse (`contrast`) [b, n]."""
        return self._spread(self._between(choices), belief)

    def _hidden(self, choices: ChoiceBatch) -> list[Float[Tensor, "b n k f"]]:
        """What either map's rewards are linear in, of every option."""
        features = torch.where(choices.option_mask.unsqueeze(-1), choices.features, 0)
        return hidden_by(self.maps, features)

    def _between(self, choices: ChoiceBatch) -> list[Float[Tensor, "b n f"]]:
        """The same as one direction a choice, better less worse."""
        contrast = choices.contrast()
        return [torch.einsum("bnkf,bnk->bnf", hidden, contrast) for hidden in self._hidden(choices)]

    def _spread(self, hidden: Sequence[Float[Tensor, "b *rows f"]], belief: Belief) -> Spread:
        """Along directions of both maps' hidden units."""
        population, taste = of_hidden_by(self.maps, hidden)
        shared, taste = population[..., 0], taste[..., : belief.mean.shape[-1]]
        mean, std = torch.einsum("b...z,bz->b...", taste, belief.mean) + shared, belief.std_along(taste)
        of_texts = self.doubt.variance(hidden[0], self.maps[1].by_member(hidden[1]), belief)
        if of_texts is not None:
            std = (std.square() + of_texts).sqrt()
        if belief.mixture is None:
            return Spread.normal(mean, std)
        low, high = belief.mixture.quantiles(taste, (0.05, 0.95), of_texts) + shared
        return Spread(mean, std, low, high)

    @torch.no_grad()
    def fit_doubt(self, encoder: nn.Module, batches: Iterable[EpisodeBatch], num_choices: int) -> None:
        """As of every scorer: how far rewards of texts unlike the training texts may be off."""
        if not self._shared:
            return
        seen = []
        for batch in batches:
            belief, mask = encoder(batch.context), batch.target.mask
            each = [direction[mask] for direction in self._between(batch.target)]
            of_each = torch.arange(len(mask), device=mask.device).unsqueeze(1).expand_as(mask)[mask]
            population, taste = of_hidden_by(self.maps, each)
            gap = population[..., 0] + (taste * belief.mean[of_each]).sum(-1)
            own, weight = self.maps[1].by_member(each[1]), torch.sigmoid(gap) * torch.sigmoid(-gap)
            latent = torch.einsum("b,bzy->zy", mask.sum(1).double(), moment(belief).double())
            seen.append(Seen(each[0], own, latent, weight))
        self.doubt.fit(seen, num_choices)

    def calibrate(
        self,
        encoder: nn.Module,
        log_prob: Callable[[Predictive, ChoiceBatch], Float[Tensor, "b n"]],
        batches: Iterable[EpisodeBatch],
        num_choices: int,
    ) -> Float[Tensor, " b"] | None:
        """As of every scorer, by three numbers: what rewards are multiplied with in probabilities, how much
        of a belief's spread counts there, and with which power of 1 + the choices seen (but no more than a
        validation belief has) rewards are multiplied besides.

        The prior over weights holds rewards back where choices are nearly certain; the population's reward
        is averaged over people already: averaged over a stranger's belief once more, its choices come out
        too even; and a person's choices have more in common than their taste, so that each says less than the
        one before. Nothing changes where validation says little: where these numbers are worth less than a
        nat each. Rewards and their intervals stay as they are: probabilities do not tell a person's large
        rewards in doubt from smaller ones that are sure.

        Reference:
            [Akaike1974]: a parameter is worth its place if it adds a nat to the log-likelihood.
        """
        if not self._shared:
            return None
        parts = []
        with torch.no_grad():
            for batch in batches:
                belief: Belief = encoder(batch.context)
                rewards = self._rewards(batch.target, belief.mean.shape[-1])
                pairs = self._pairs(batch.target, belief, rewards)
                parts.append((batch.target, belief, rewards, pairs, _standard_normal(belief.mean)))
        most = torch.stack([belief.seen.max() for _, belief, *_ in parts if belief.seen is not None]).max()
        free = torch.zeros(3, requires_grad=True)

        def logs() -> Tensor:  # of the first two numbers, and of rewards after the most choices
            return _MOST * torch.tanh(free / _MOST)

        def numbers() -> tuple[Tensor, Tensor, Tensor]:
            factor, width, after_most = logs()
            power = after_most / torch.log1p(most) if most > 0 else 0 * after_most
            return factor.exp(), width.exp(), torch.stack([power, most.to(power)])

        search = torch.optim.LBFGS([free], 1, 30, None, *_NEAR_ENOUGH, line_search_fn="strong_wolfe")

        def nll() -> Tensor:
            found, each = numbers(), []
            for target, belief, rewards, pairs, noise in parts:
                predictive = self._averaged(target, belief, rewards, pairs, noise, *found)
                told = log_prob(predictive, target) * target.mask
                each.append(told.sum(-1) / target.mask.sum(-1).clamp(min=1))
            return -torch.stack(each).mean(0)

        def loss() -> Tensor:
            search.zero_grad()
            total = num_choices * nll().mean() + logs().square().sum() / (2 * _FREEDOM**2)
            total.backward()
            return total

        before = nll().detach().mean()
        with torch.enable_grad():
            search.step(loss)
        with torch.no_grad():
            if num_choices * (before - nll().mean()) < len(free):
                free.zero_()
            self.factor, self.width, self.growth = numbers()
            return nll()

    def resize_buffers(self, stored: Mapping[str, Tensor]) -> None:
        for name in ("factor", "width", "growth"):
            setattr(self, name, torch.ones_like(stored[name]) if name in stored else None)

    def _of_samples(self, belief: Belief, noise: Tensor, population: Tensor, taste: Tensor) -> Predictive:
        if belief.mixture is None:
            return Predictive(self._at(belief.sample(noise), population, taste))
        latents, log_weight = belief.mixture.sample(noise)
        scores = self._at(latents, population, taste)
        return Predictive(scores, (log_weight - math.log(len(noise))).unsqueeze(-1).expand(scores.shape[:3]))

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


def _standard_normal(like: Float[Tensor, "b z"]) -> Float[Tensor, "s b z"]:
    """Noise for beliefs, always the same, each number with its opposite."""
    half = torch.randn(_SAMPLES // 2, *like.shape, generator=torch.Generator().manual_seed(0)).to(like)
    return torch.cat([half, -half])
