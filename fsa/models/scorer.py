"""`Scorer`: what a belief makes of each option."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError
from fsa.predictive import Predictive
from fsa.reward_map import RewardMap
from fsa.types import Belief, ChoiceBatch, EpisodeBatch, TokenRows

_NINETY = 1.6448536269514722  # stds on either side of a normal's mean between which it is 90 % of the time


@dataclass(frozen=True)
class Spread:
    """What is believed of scores: mean, standard deviation, and the ends of the middle 90 %."""

    mean: Float[Tensor, "b n k"]
    std: Float[Tensor, "b n k"]
    low: Float[Tensor, "b n k"]
    high: Float[Tensor, "b n k"]

    @classmethod
    def normal(cls, mean: Float[Tensor, "b n k"], std: Float[Tensor, "b n k"]) -> Spread:
        """Of scores that are normal."""
        return cls(mean, std, mean - _NINETY * std, mean + _NINETY * std)

    @classmethod
    def of_samples(cls, scores: Float[Tensor, "s b n k p"]) -> Spread:
        """Of the first score of each option, as if it were normal."""
        return cls.normal(scores[..., 0].mean(0), scores[..., 0].std(0, correction=0))


class Scorer(nn.Module, ABC):
    """Base of all scorers; a head takes `d_feature` and `d_belief` first, then its own arguments.

    One user's scores never depend on who else is in the batch, nor sample s on any other sample.

    Attributes:
        reads_tokens: Whether the options have to come as tokens: the scorer runs a language model.
        needs_reference: Whether these have to come with their log-probability under the reference.
        reads_features: Whether these tokens are the ones that features are made of, beside the measures.
        runs_per_latent: Whether each latent costs a run of a language model: it then gets a belief's mean.
        starts_fitted: Whether it is of use before the first step: its first weights may be the best.
        reads_memory: Whether it reads the user's choices (`Belief.memory`) in place of samples z: it fits or
            attends to them itself. Its encoder is `fsa.encoders.verbatim.Verbatim`.
    """

    reads_tokens: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = False
    reads_features: ClassVar[bool] = False
    runs_per_latent: ClassVar[bool] = False
    starts_fitted: ClassVar[bool] = False
    reads_memory: ClassVar[bool] = False

    @abstractmethod
    def forward(
        self, choices: ChoiceBatch, z: Float[Tensor, "s b z"], belief: Belief
    ) -> Float[Tensor, "s b n k p"]:
        """Score of every option for every latent sample; in nats where p = 1.

        Args:
            choices: The options to score; their outcome is not read.
            z: Samples of the belief.
            belief: The belief itself, for scorers that attend to more than a sample.
        """

    def predictive(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Predictive:
        """Scores to average the probability of each choice's outcomes over; samples of the belief.

        Args:
            choices: The options to score; their outcome is not read.
            belief: What is believed of each user.
            noise: Standard normal numbers.
        """
        return Predictive(self(choices, belief.sample(noise), belief))

    def spread(self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]) -> Spread:
        """What is believed of each option's first score, in its unit; of samples, as if they were normal.

        Args:
            choices: The options to score; their outcome is not read.
            belief: What is believed of each user.
            noise: Standard normal numbers.
        """
        return Spread.of_samples(self(choices, belief.sample(noise), belief))

    def predictive_and_spread(
        self, choices: ChoiceBatch, belief: Belief, noise: Float[Tensor, "s b z"]
    ) -> tuple[Predictive, Spread]:
        """What `predictive` and `spread` give, at less work; who overrides one of them overrides this too."""
        scores = self(choices, belief.sample(noise), belief)
        return Predictive(scores), Spread.of_samples(scores)

    def divergence(self, tokens: TokenRows, z: Float[Tensor, "m z"]) -> Float[Tensor, " m"]:
        """How far from the reference each response's next tokens are, in nats; see `PolicyScorer`.

        Raises:
            ConfigError: The scorer is no policy.
        """
        raise ConfigError(f"{type(self).__name__} is no policy, so it has no reference to diverge from")

    def bind(self, encoder: nn.Module) -> None:
        """Share weights with the encoder that beliefs come from; most scorers share none."""

    def by_features(self, encoder: nn.Module) -> Scorer:
        """What predicts choices that come as features alone: this scorer, unless it reads tokens."""
        return self

    def begin_with(self, scorer: Scorer) -> None:
        """Take over what another scorer keeps beside weights, where this one begins with its rewards."""

    def population_part(self) -> tuple[RewardMap, float] | None:
        """The map of what all people share and the precision of its prior, to be trained first and to its own
        optimum; None where a scorer has none."""
        return None

    def forms(self, spread: Float[Tensor, " d"]) -> dict[str, Callable[[], None]]:
        """Forms in which what sets people apart can be learned, by name, the usual one first; each is taken
        by a call before training. Empty for scorers that have but one.

        Args:
            spread: Standard deviation of each feature over the training options.
        """
        return {}

    def prior(self) -> Float[Tensor, ""] | float:
        """Minus the log-density of the weights under a prior, in nats; 0 for scorers without one."""
        return 0.0

    @torch.no_grad()
    def fit_training_users(self, choices: Iterable[ChoiceBatch]) -> None:
        """Look at all training users once, before training; a scorer that keeps nothing of them does nothing.

        Args:
            choices: The training choices in batches; each user is in one row of one batch.
        """

    def fit_doubt(self, encoder: nn.Module, batches: Iterable[EpisodeBatch], num_choices: int) -> None:
        """Look at training episodes once, after training, for what scores may be off by; nothing by default.

        Args:
            encoder: What reads the contexts.
            batches: Some of the training episodes.
            num_choices: Training choices in all.
        """

    def calibrate(
        self,
        encoder: nn.Module,
        log_prob: Callable[[Predictive, ChoiceBatch], Float[Tensor, "b n"]],
        batches: Iterable[EpisodeBatch],
        num_choices: int,
    ) -> Float[Tensor, " b"] | None:
        """Look at validation episodes once, after training, for how sure to be; nothing by default.

        Args:
            encoder: What reads the contexts.
            log_prob: Of the choices that were made, in nats, averaged over what is believed.
            batches: The same episodes, once at every context size.
            num_choices: Choices that they are drawn from.

        Returns:
            Negative log-likelihood of each episode afterwards, in nats a choice, the mean over context sizes;
            None where nothing was done.
        """
        return None

    def resize_buffers(self, stored: Mapping[str, Tensor]) -> None:
        """Give buffers that training leaves the shapes of stored ones, before these are loaded.

        Args:
            stored: Tensors by their names in this scorer.
        """

    def remembered(self, belief: Belief) -> ChoiceBatch:
        """The choices that a belief keeps.

        Raises:
            ConfigError: It keeps none.
        """
        if belief.memory is None:
            raise ConfigError(
                f"{type(self).__name__} reads the user's choices themselves, but the encoder keeps none;"
                " choose the encoder fsa.encoders.verbatim.Verbatim"
            )
        return belief.memory
