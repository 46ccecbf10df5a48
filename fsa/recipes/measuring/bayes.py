"""`BayesPredictor`: the Bayes limit of any predictor, where it is known how the choices were made."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor

from fsa.choices.source import Truth
from fsa.choices.table import ChoiceTable
from fsa.episodes.dataset import collate_choices
from fsa.episodes.sampler import EpisodeRows
from fsa.errors import ConfigError
from fsa.likelihoods.davidson import Davidson
from fsa.likelihoods.label_noise import LabelNoise
from fsa.likelihoods.plackett_luce import PlackettLuce
from fsa.metrics.choice_accuracy import correctness
from fsa.predictive import Predictive
from fsa.types import ChoiceBatch


class BayesPredictor:
    """Predicts by the rule that made the choices, of a person whose taste it has to find out.

    No predictor that knows the rule but not the user can be more accurate: its best option is the Bayes
    choice.

    Args:
        truth: The rule.
        table: The choices, whose items it gives rewards.
    """

    def __init__(self, truth: Truth, table: ChoiceTable) -> None:
        self.table = table
        base = Davidson(truth.tie_weight) if truth.tie_weight else PlackettLuce()
        self.likelihood = (LabelNoise(base, truth.flip_noise) if truth.flip_noise else base).double()
        self.rewards = torch.from_numpy(np.ascontiguousarray(truth.rewards.T, np.float64))  # [m, t]
        self.log_prior = torch.from_numpy(truth.log_prior).double()

    @torch.no_grad()
    def log_likelihood(self, rows: NDArray[np.integer]) -> Float64[np.ndarray, "*rows t"]:
        """Log-probability of each choice's outcome under each taste, in nats; 0 where a row is -1.

        Raises:
            ConfigError: A choice ties and the rule has no ties, or it ties some of its options only.
        """
        choices, scores = self._choices(rows)
        found = self.likelihood.log_prob(scores, choices.places)
        if found.isneginf().any():
            raise ConfigError(
                "the choices have ties that this truth rules out: it has tie_weight 0, or some tie only"
            )
        return found.movedim(0, -1).numpy()

    def first(self, rows: NDArray[np.integer]) -> Float[Tensor, "*rows t"]:
        """Probability that the first option of each choice is picked, under each taste."""
        choices, scores = self._choices(rows)
        return self.likelihood.best(scores, choices.option_mask)[..., 0].movedim(0, -1)

    def log_posterior(self, context: NDArray[np.integer]) -> Float[Tensor, "b t"]:
        """Log-probability of each taste given the rows seen of each user, -1 for padding [b, n]."""
        evidence = torch.from_numpy(self.log_likelihood(context)).sum(1)
        return (self.log_prior + evidence).log_softmax(-1)

    @torch.no_grad()
    def predict(
        self, context: NDArray[np.integer], target: NDArray[np.integer]
    ) -> Float64[np.ndarray, "b m k"]:
        """Probability that each option of each target is the one picked, given the context.

        Where ties are possible these do not sum to 1.

        Args:
            context: Rows seen of each user, -1 for padding [b, n].
            target: Rows to predict, -1 for padding [b, m].
        """
        choices, scores = self._choices(target)
        best = self.likelihood.best(scores, choices.option_mask)
        log_weight = self.log_posterior(context).T.unsqueeze(-1).expand(scores.shape[:3])
        return Predictive(scores, log_weight).mean(best).numpy()

    def _choices(self, rows: NDArray[np.integer]) -> tuple[ChoiceBatch, Float[Tensor, "t *rows k 1"]]:
        """Choices, and what each taste makes of their options."""
        choices = collate_choices(rows.astype(np.int64), self.table, self.rewards)
        return choices, choices.features.movedim(-1, 0).unsqueeze(-1)


def bayes_correct(
    truth: Truth, table: ChoiceTable, episodes: EpisodeRows, at_once: int = 64
) -> Float64[np.ndarray, " n"]:
    """Credit of the Bayes choice on each target of some episodes [n]; a few at once: tastes may be many."""
    predictor, found = BayesPredictor(truth, table), []
    for start in range(0, len(episodes.index), at_once):
        part = episodes.part(slice(start, start + at_once))
        is_target = part.target >= 0
        best = predictor.predict(part.context, part.target)[is_target]
        places = collate_choices(part.target, table, predictor.rewards).places.numpy()[is_target]
        found.append(correctness(best, places))
    return np.concatenate(found)
