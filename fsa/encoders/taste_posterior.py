"""`TastePosterior`: Bayes' rule for what sets a person apart from the population."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from fsa.encoders.encoder import ContextEncoder
from fsa.mixtures import Mixture
from fsa.reward_map import prior_of, rewards_by, taste_maps
from fsa.types import Belief, ChoiceBatch

_PLACES = 0.6  # spread of the components' centres at the start, where the whole mixture has 1
_MOST_UPDATES = 1000  # it settles after a few; each is paid for by every reader of choices


class TastePosterior(ContextEncoder):
    """Posterior of a latent z in a reward population(x) + z . taste(x), under a mixture of Gaussians.

    Both maps of an option's features x are `RewardMap`s, which `fsa.models.taste_reward.TasteReward` scores
    with. The evidence of a choice is read against the population: a choice that follows the majority says
    little about the person. A share of choices (`lapse`) is taken to be made at random, so that no single
    choice says more than a bounded amount. The prior is a learned mixture that starts near a standard normal:
    kinds of people and a continuum of tastes are the same to it. The components have one covariance, and
    Jaakkola and Jordan's bound touches the sigmoid at the same point for all of them, where the mixture as a
    whole expects the log-odds: then all posteriors have one covariance as well, and many components cost
    hardly more than one. Training takes the points of touch as they are, as expectation maximisation does.
    How likely each component is goes by the choices one by one, each made by taste or at random, and counted
    by how much those that say the same leave open: so one choice, made by mistake or with intent, says no
    more than `most_moved` nats about which kind of person this is. The belief is the whole mixture.

    Args:
        d_feature: Width of an option's features.
        d_belief: Width of the latent z.
        units: Hidden units of either map; see `RewardMap`.
        dropout: Share of hidden units dropped in training, 0-1.
        std: Size of the taste map at the start; small, so that what sets people apart grows from nothing.
        lapse: Share of choices made at random at the start, 0-1 exclusive; learned.
        components: Gaussians of the prior, >= 1.
        updates: Updates of the variational posterior, 1 to 1,000.
        taste_precision: Precision of the Gaussian prior over the weights of the taste map, >= 0; larger keeps
            people alike for longer.
        population_precision: The same of the population map.
        members: Most models of people that are averaged, each of its own taste map and prior; as many as
            `d_belief` and `components` can be dealt out to evenly.

    Raises:
        ValueError: `lapse` is not a share, `components` or `updates` is below 1, `updates` above 1,000, or a
            precision is negative.

    Reference:
        [Jaakkola2000] Bayesian parameter estimation via variational methods; [Bishop2006] Sec. 10.6: the
        updates. [Kobalczyk2024] Sec. 4: the context encoder that this is a form of. The lapse is that of
        psychometric functions ([Wichmann2001] Eq. 1).
    """

    has_spread = True
    has_learned_prior = True
    reads_weight = True

    def __init__(
        self,
        d_feature: int,
        d_belief: int,
        units: int = 128,
        dropout: float = 0.1,
        std: float = 0.2,
        lapse: float = 0.05,
        components: int = 64,
        updates: int = 3,
        taste_precision: float = 30.0,
        population_precision: float = 3.0,
        members: int = 1,
    ) -> None:
        super().__init__()
        counts, precisions = (components, updates), (population_precision, taste_precision)
        if not 0 < lapse < 1 or min(counts) < 1 or updates > _MOST_UPDATES or min(precisions) < 0:
            raise ValueError(
                "lapse is a share between 0 and 1, components >= 1, updates from 1 to "
                f"{_MOST_UPDATES:,} and precisions >= 0, got "
                f"{lapse}, {components}, {updates}, {taste_precision} and {population_precision}"
            )
        members = max(n for n in range(1, max(members, 1) + 1) if d_belief % n == components % n == 0)
        self.population, self.taste = taste_maps(d_feature, 1, d_belief, units, dropout, std, members)
        self.updates, self.members = updates, members
        components //= members
        spread = _PLACES if components > 1 else 0.0
        self.place = nn.Parameter(spread * torch.randn(components, d_belief))
        self.log_std = nn.Parameter(torch.full((d_belief,), math.log(1 - spread**2) / 2))
        self.log_share = nn.Parameter(torch.zeros(*[members] * (members > 1), components))
        self.precisions = precisions
        self.lapse = nn.Parameter(torch.tensor([math.log(lapse / (1 - lapse))]))
        # How much of the population's log-odds the evidence is read against, and how strongly choices are
        # read: learned, for people may follow their taste more or less than they follow the population's.
        self.offset = nn.Parameter(torch.tensor([1.0]))
        self.log_strength = nn.Parameter(torch.tensor([0.0]))
        # How much less choices say about the kind of person where others say the same: learned, 0-1.
        self.common = nn.Parameter(torch.tensor([-1.0]))
        # Choices of one person repeat themselves: evidence grows as n / (1 + c n).
        self.raw_rate = nn.Parameter(torch.tensor([-4.0]))

    def forward(self, choices: ChoiceBatch) -> Belief:
        contrast = choices.contrast()  # [b, n, k]
        each = rewards_by([self.population, self.taste], choices)  # [b, n, k, 1] and [b, n, k, z]
        population, taste = (torch.einsum("bnkz,bnk->bnz", rewards, contrast) for rewards in each)
        says = (choices.mask & contrast.ne(0).any(-1)).to(taste.dtype)
        if choices.weight is not None:
            says = says * choices.weight.to(taste.dtype)
        seen = says.sum(-1, keepdim=True)
        weight = says / (1 + functional.softplus(self.raw_rate) * seen)
        population, taste = self.offset * population.squeeze(-1), self.log_strength.exp() * taste
        belief = Belief.of_mixture(_together(*self._posterior(population, self._by_member(taste), weight)))
        return replace(belief, seen=seen.squeeze(-1))

    def _by_member(self, latents: Float[Tensor, "*rows z"]) -> Float[Tensor, "g *rows z/g"]:
        """Each member's own latents."""
        return latents.unflatten(-1, (self.members, -1)).movedim(-2, 0)

    @property
    def most_moved(self) -> float:
        """Most that one choice says for one component over another, in nats: log(2 / lapse - 1)."""
        lapse = float(self.lapse.detach().sigmoid())
        return math.log(2 / lapse - 1)

    def shard_units(self) -> list[nn.Module]:
        """Parts that a scorer runs too, each split over processes on its own."""
        return [self.population, self.taste]

    def prior(self) -> Float[Tensor, ""]:
        """Minus the log-density of the maps' weights under their priors, in nats, up to a constant."""
        population, taste = self.precisions
        # The loss is the mean over members, each with a prior of its own.
        return prior_of([self.population, self.taste], [population, taste / self.members])

    def _posterior(
        self, population: Float[Tensor, "b n"], taste: Float[Tensor, "g b n z"], weight: Float[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "g b m"], Float[Tensor, "g b m z"], Float[Tensor, "g b z z"]]:
        """Log-weights and means of each member's components, and a factor of their one covariance, after
        choices with log-odds population + z . taste."""
        share = self.log_share.view(self.members, 1, -1).log_softmax(-1)  # [g, 1, m]
        place = self._by_member(self.place)
        place = (place - share.exp() @ place).unsqueeze(1)  # unknown people have the population's reward
        prior = (-2 * self._by_member(self.log_std)).exp().view(self.members, 1, 1, -1)  # precision
        spread = (taste.square() / prior).sum(-1)  # of the log-odds in any component, before choices
        evidence = self._evidence(population.unsqueeze(-1) + taste @ place.mT, spread)
        with torch.no_grad():  # mean and mean square of the log-odds, before choices move any component
            log_weight = _weighed(share, evidence, weight)
            log_odds, square = _expected(log_weight, population.unsqueeze(1) + place @ taste.mT, spread)
        identity = torch.eye(taste.shape[-1], dtype=taste.dtype, device=taste.device)
        for update in range(self.updates):
            is_last = update + 1 == self.updates
            with torch.set_grad_enabled(is_last and torch.is_grad_enabled()):
                touch = (square + 1e-6).sqrt().detach()  # where the bound touches the sigmoid
                curvature = torch.tanh(touch / 2) / (4 * touch)
                counted = weight * self._by_taste(log_odds, touch)
                scaled = taste * (2 * curvature * counted).unsqueeze(-1)
                lower = torch.linalg.cholesky(prior * identity + scaled.mT @ taste)
                # precision = L L', so L'^-1 is a factor of the covariance.
                inverse = torch.linalg.solve_triangular(lower, identity.expand_as(lower), upper=False)
                pull = ((0.5 - 2 * curvature * population) * counted).unsqueeze(-2) @ taste
                mean = (prior * place + pull) @ inverse.mT @ inverse  # [g, b, m, z]
                within = (taste @ inverse.mT).square().sum(-1)
                open_ = ((within + 1e-6) / (spread + 1e-6)).detach() ** self.common.sigmoid()
                log_weight = _weighed(share, evidence, weight * open_)
                if not is_last:
                    each = population.unsqueeze(1) + mean @ taste.mT  # [g, b, m, n]
                    log_odds, square = _expected(log_weight, each, within)
        return log_weight, mean, inverse.mT

    def _evidence(
        self, log_odds: Float[Tensor, "g b n m"], spread: Float[Tensor, "g b n"]
    ) -> Float[Tensor, "g b n m"]:
        """Log-probability of each choice in each component, made by taste or at random."""
        evened = log_odds * (1 + math.pi / 8 * spread).rsqrt().unsqueeze(-1)
        by_taste = functional.logsigmoid(-self.lapse) + functional.logsigmoid(evened)
        at_random = functional.logsigmoid(self.lapse) - math.log(2)
        return torch.logaddexp(by_taste, at_random.expand_as(by_taste))

    def _by_taste(
        self, log_odds: Float[Tensor, "g b n"], touch: Float[Tensor, "g b n"]
    ) -> Float[Tensor, "g b n"]:
        """Probability that each choice was made by taste and not at random."""
        bound = functional.logsigmoid(touch) + (log_odds - touch) / 2
        at_random = functional.logsigmoid(self.lapse) - math.log(2)
        return torch.sigmoid(functional.logsigmoid(-self.lapse) + bound - at_random)


def _together(
    log_weight: Float[Tensor, "g b m"], mean: Float[Tensor, "g b m z"], factor: Float[Tensor, "g b z z"]
) -> Mixture:
    """Mixture of several models' mixtures, each along latents of its own, all of the same weight.

    What a component of one model doubts along its own latents is taken to be what all doubt in the mean,
    so that they have one covariance.
    """
    members = len(log_weight)
    own = torch.eye(members, dtype=mean.dtype, device=mean.device).view(members, 1, members, 1)
    weights = (log_weight - math.log(members)).movedim(0, 1).flatten(1)
    means, factors = (each.movedim(0, 1).unsqueeze(-2) * own for each in (mean, factor))  # [b, g, *, g, z]
    return Mixture(weights, means.flatten(1, 2).flatten(2), members**-0.5 * factors.flatten(1, 2).flatten(2))


def _weighed(
    share: Float[Tensor, "g 1 m"], evidence: Float[Tensor, "g b n m"], weight: Float[Tensor, "*g b n"]
) -> Float[Tensor, "g b m"]:
    """Log-weights of the components after choices that count this much."""
    return (share + (weight.unsqueeze(-2) @ evidence).squeeze(-2)).log_softmax(-1)


def _expected(
    log_weight: Float[Tensor, "g b m"], each: Float[Tensor, "g b m n"], within: Float[Tensor, "g b n"]
) -> tuple[Float[Tensor, "g b n"], Float[Tensor, "g b n"]]:
    """Mean and mean square of log-odds over components that have these means, and this variance."""
    among = log_weight.exp().unsqueeze(-2)
    return (among @ each).squeeze(-2), (among @ each.square()).squeeze(-2) + within
