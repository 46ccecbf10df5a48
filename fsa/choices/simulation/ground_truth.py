"""`Truth`: the rule that generated choices, where we made them; gives the Bayes limit of any predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError


@dataclass(frozen=True)
class Truth:
    """Every taste a user could have, and what each taste makes of every item.

    A user has one of t tastes and chooses by Plackett-Luce on that taste's rewards: a pick is its first
    stage, a ranking all of its stages. With `tie_weight` > 0 all options of a choice may tie, by Davidson's
    rule. Continuous tastes are a sample of tastes.

    Attributes:
        rewards: Reward of each item under each taste, in nats [t, m].
        log_prior: Log-probability of each taste before any choice [t].
        tie_weight: Davidson's nu, >= 0; 0 means that no user ever ties.
        flip_noise: Share of choices, 0 to below 1, whose outcome was replaced by a uniformly random one.
    """

    rewards: NDArray[np.floating]
    log_prior: NDArray[np.floating]
    tie_weight: float = 0.0
    flip_noise: float = 0.0

    def log_likelihood(self, table: ChoiceTable, rows: NDArray[np.integer]) -> NDArray[np.float64]:
        """Log-probability of each choice's outcome under each taste, in nats; 0 where a row is -1.

        Args:
            table: The choices.
            rows: Rows of the table, any shape; -1 for no choice.

        Returns:
            Of shape [*rows, t].

        Raises:
            ConfigError: A choice ties and `tie_weight` is 0, or it ties some of its options only.
        """
        scores, places = self._options(table, rows)
        live = places >= 0
        last = places.max(-1, keepdims=True)
        total = np.zeros((*rows.shape, len(self.log_prior)))
        for stage in range(int(last.max(initial=0))):
            # What shares the last place was not told apart: it is a rival in each stage, and wins none.
            best = (places == stage) & (places < last)
            log_sum = self._log_sum(scores, live & (places >= stage))
            total += np.where(
                best.any(-1)[..., None], np.where(best[..., None], scores, 0).sum(-2) - log_sum, 0
            )
        is_tie = (places == 0).sum(-1) > 1
        if is_tie.any():
            total[is_tie] = self._tie_log_prob(scores[is_tie], places[is_tie])
        return self._with_noise(total, places) if self.flip_noise else total

    def predict(
        self, table: ChoiceTable, context: NDArray[np.integer], target: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Probability that each option of each target is the one picked, given the context.

        No predictor that knows the rule but not the user can be more accurate: its best option is the Bayes
        choice.

        Args:
            table: The choices.
            context: Rows seen of each user, -1 for padding [b, n].
            target: Rows to predict, -1 for padding [b, m].

        Returns:
            Of shape [b, m, k]; where ties are possible they do not sum to 1.
        """
        log_posterior = self.log_prior + self.log_likelihood(table, context).sum(1)
        log_posterior -= log_posterior.max(-1, keepdims=True)
        posterior = np.exp(log_posterior) / np.exp(log_posterior).sum(-1, keepdims=True)
        scores, places = self._options(table, target)
        live = places >= 0
        shifted = np.where(live[..., None], scores - self._log_sum(scores, live)[..., None, :], -np.inf)
        picked = np.einsum("bmkt,bt->bmk", np.exp(shifted), posterior)
        num_outcomes = np.maximum(live.sum(-1, keepdims=True), 1) + bool(self.tie_weight)
        return (1 - self.flip_noise) * picked + np.where(live, self.flip_noise / num_outcomes, 0)

    def _with_noise(self, total: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log-probabilities [*rows, t] of outcomes that are random in a share `flip_noise` of choices."""
        count, stages = (places >= 0).sum(-1), np.maximum(places.max(-1), 0)
        # k (k - 1) ... orders of as many best as were ranked, and one more outcome where all may tie.
        rivals = np.maximum(count[..., None] - np.arange(max(int(stages.max(initial=0)), 1)), 1)
        num_outcomes = np.where(np.arange(rivals.shape[-1]) < stages[..., None], rivals, 1).prod(-1)
        if self.tie_weight:
            num_outcomes = count + 1
        noise = np.log(self.flip_noise / np.maximum(num_outcomes, 1))[..., None]
        return np.where(count[..., None] > 0, np.logaddexp(np.log1p(-self.flip_noise) + total, noise), 0)

    def _options(
        self, table: ChoiceTable, rows: NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Scores [*rows, k, t] and places [*rows, k] of the options; place -1 where there is none."""
        safe = np.maximum(rows, 0)
        sizes = np.where(rows >= 0, table.num_options[safe], 0)
        slot = np.arange(max(int(sizes.max(initial=0)), 1))
        exists = slot < sizes[..., None]
        option = np.where(exists, table.option_offsets[safe][..., None] + slot, 0)
        scores = np.moveaxis(self.rewards[:, table.option[option]], 0, -1)
        return np.asarray(scores, np.float64), np.where(exists, table.place[option], -1).astype(np.int64)

    def _tie_log_prob(self, scores: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
        live = places >= 0
        if not self.tie_weight or (live & (places > 0)).any():
            raise ConfigError(
                "the choices have ties that this truth rules out: it has tie_weight 0, or some tie only"
            )
        return self._log_tie(scores, live) - self._log_sum(scores, live)

    def _log_sum(self, scores: NDArray[np.float64], rivals: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Log of what the weights of all outcomes of one stage sum to [*rows, t]."""
        log_sum = _log_sum_exp(scores, rivals)
        return np.logaddexp(log_sum, self._log_tie(scores, rivals)) if self.tie_weight else log_sum

    def _log_tie(self, scores: NDArray[np.float64], rivals: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Log-weight of a tie: nu times the geometric mean of the rivals' weights."""
        count = np.maximum(rivals.sum(-1), 1)[..., None]
        return np.where(rivals[..., None], scores, 0).sum(-2) / count + np.log(self.tie_weight)


def _log_sum_exp(scores: NDArray[np.float64], live: NDArray[np.bool_]) -> NDArray[np.float64]:
    masked = np.where(live[..., None], scores, -np.inf)
    largest = masked.max(-2, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(masked - largest).sum(-2)) + largest[..., 0, :]
