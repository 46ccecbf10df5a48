"""`infer_target`: what a person seems to want, from a few of their choices and a judge's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from fsa.errors import ConfigError
from fsa.judge.scores import AttributeScores
from fsa.judge.target import LEVELS, AlignmentTarget

SHARPNESSES = (1.0, 2.0, 4.0, 8.0, 16.0)
_MOST_ATTRIBUTES = 6  # 6 ** 6 targets at five levels, or not named; one more attribute is six times as many


@dataclass(frozen=True)
class TargetBelief:
    """A posterior over targets: every target there is, and how likely it is.

    Axes: **t** targets, **a** attributes, **h** sharpnesses, **k** responses.

    Attributes:
        attributes: Names, one a column.
        levels: Level of each attribute in each target, NaN where the target does not name it [t, a].
        sharpnesses: Nats of preference a unit of distance, the values considered [h].
        probability: Of each target with each sharpness [t, h]; sums to 1.
    """

    attributes: tuple[str, ...]
    levels: Float[np.ndarray, "t a"]
    sharpnesses: Float[np.ndarray, " h"]
    probability: Float[np.ndarray, "t h"]

    @property
    def named(self) -> dict[str, float]:
        """Probability that an attribute matters at all."""
        shares = self._weights() @ ~np.isnan(self.levels)
        return dict(zip(self.attributes, shares.tolist(), strict=True))

    @property
    def mean(self) -> dict[str, float]:
        """Expected level of each attribute, given that it matters."""
        return dict(zip(self.attributes, self._moments()[0].tolist(), strict=True))

    @property
    def spread(self) -> dict[str, float]:
        """Standard deviation of each level, given that the attribute matters: how unsure the mean is."""
        return dict(zip(self.attributes, self._moments()[1].tolist(), strict=True))

    def target(self, at_least_named: float = 0.05) -> AlignmentTarget:
        """The mean as a target: expected levels, weighed by the probability that they matter.

        Args:
            at_least_named: Attributes less probable than this are left out, unless all are.
        """
        named = self.named
        kept = [name for name in self.attributes if named[name] >= at_least_named]
        kept = kept or [max(named, key=named.__getitem__)]
        mean = self.mean
        return AlignmentTarget({name: mean[name] for name in kept}, {name: named[name] for name in kept})

    def after(self, log_likelihood: Float[np.ndarray, "t h"]) -> TargetBelief:
        """The belief after choices, of their log-probability under each target and sharpness, in nats."""
        log_probability = np.log(self.probability) + log_likelihood
        probability = np.exp(log_probability - log_probability.max())
        return replace(self, probability=probability / probability.sum())

    def choice_probabilities(self, scores: AttributeScores) -> Float[np.ndarray, " k"]:
        """Probability that each response is chosen, in the mean over the posterior: the best prediction.

        Raises:
            ConfigError: A score is missing.
        """
        log_probs = log_probabilities(scores, self.attributes, self.levels, self.sharpnesses)  # [t, h, k]
        return np.asarray(np.einsum("th,thk->k", self.probability, np.exp(log_probs)))

    def _weights(self) -> Float[np.ndarray, " t"]:
        return np.asarray(self.probability.sum(1))

    def _moments(self) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " a"]]:
        is_named = ~np.isnan(self.levels)
        weights = self._weights()[:, None] * is_named
        weights = weights / np.maximum(weights.sum(0), 1e-300)
        levels = np.where(is_named, self.levels, 0)
        mean = (weights * levels).sum(0)
        return mean, np.sqrt((weights * (levels - mean) ** 2).sum(0))


def infer_target(
    choices: Sequence[int],
    scores: Sequence[AttributeScores],
    *,
    sharpnesses: Sequence[float] = SHARPNESSES,
) -> TargetBelief:
    """The posterior over targets given which response was chosen of each probe.

    A person with a target chooses response i with probability proportional to exp(-sharpness * distance of
    i): Bradley-Terry-Luce on distances. Every target at levels 0, 0.25, 0.5, 0.75, 1 or not named is
    weighed, with every sharpness, so the posterior is exact: nothing is sampled. Beforehand all numbers of
    named attributes are equally likely, then all targets of that many, then all sharpnesses. A judge's
    errors are noise like any other: they lower the sharpness.

    Args:
        choices: Place of the chosen response in each probe.
        scores: The judge's scores of each of those probes. None of either gives the prior of no attributes,
            so at least one is needed.
        sharpnesses: Nats a unit of distance, all > 0; larger means firmer choices.

    Raises:
        ConfigError: Choices and scores do not fit each other, a score is missing, or there are more than six
            attributes.
    """
    if not scores or len(choices) != len(scores):
        raise ConfigError(f"one choice a probe, at least one, came {len(choices)} for {len(scores)} probes")
    names = scores[0].attributes
    belief = prior(names, sharpnesses=sharpnesses)
    log_likelihood = np.zeros_like(belief.probability)
    for place, (choice, one) in enumerate(zip(choices, scores, strict=True)):
        if not 0 <= choice < len(one.mean):
            raise ConfigError(f"choice {place} must be from 0 to {len(one.mean) - 1}, came {choice}")
        log_likelihood += log_probabilities(one, names, belief.levels, belief.sharpnesses)[..., choice]
    return belief.after(log_likelihood)


def prior(attributes: Sequence[str], *, sharpnesses: Sequence[float] = SHARPNESSES) -> TargetBelief:
    """The belief before any choice; see `infer_target`.

    Raises:
        ConfigError: There are no or more than six attributes, or a sharpness is not positive.
    """
    if not 1 <= len(attributes) <= _MOST_ATTRIBUTES:
        raise ConfigError(
            f"targets of 1 to {_MOST_ATTRIBUTES} attributes are inferred, came {len(attributes)}"
        )
    if not sharpnesses or not all(value > 0 for value in sharpnesses):
        raise ConfigError(f"sharpnesses must be numbers > 0, at least one, came {list(sharpnesses)}")
    levels = np.array(list(product((np.nan, *LEVELS), repeat=len(attributes))))[1:]  # the first names nothing
    size = (~np.isnan(levels)).sum(1)
    share = 1 / (np.bincount(size)[size] * len(attributes) * len(sharpnesses))  # [t]
    probability = np.repeat(share[:, None], len(sharpnesses), axis=1)
    return TargetBelief(tuple(attributes), levels, np.asarray(sharpnesses, np.float64), probability)


def log_probabilities(
    scores: AttributeScores,
    attributes: Sequence[str],
    levels: Float[np.ndarray, "t a"],
    sharpnesses: Float[np.ndarray, " h"],
) -> Float[np.ndarray, "t h k"]:
    """Log-probability of each response under every target and sharpness, in nats.

    Raises:
        ConfigError: A score is missing, or an attribute is not scored.
    """
    columns = scores.columns(attributes)  # [k, a]
    if np.isnan(columns).any():
        raise ConfigError("a score is missing; leave probes out that the judge could not score")
    miss = np.nan_to_num(levels[:, None, :] - columns)  # [t, k, a]; what is not named is not missed
    distance: NDArray[np.float64] = np.sqrt((miss**2).sum(-1))
    utility = -sharpnesses[:, None] * distance[:, None, :]  # [t, h, k]
    utility = utility - utility.max(-1, keepdims=True)
    return np.asarray(utility - np.log(np.exp(utility).sum(-1, keepdims=True)))
