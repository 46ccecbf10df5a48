"""`RandomJudge` and `RewardJudge`: what a steered judge is compared with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float

from fsa.errors import ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.features.rendering import plain
from fsa.judge.judge import Cost, Judge
from fsa.judge.rows import ProbeRows, distinct_rows
from fsa.judge.scores import AttributeScores, Labelled, Probe
from fsa.seeding import stable_hash, uniform
from fsa.solvers.ridge_logistic import ridge_logistic

REWARD = "reward"
"""The one attribute that a reward model scores; it is steered to 1, whatever the target."""


class RandomJudge(Judge):
    """Scores that say nothing: uniform, from the seed, the probe's key and the response.

    Args:
        seed: Same seed, same scores.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._attributes: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        return self._attributes

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:
        if not labelled:
            raise ConfigError("random scores take their attributes from a labelled probe, came none")
        self._attributes = labelled[0].labels.attributes

    def score(self, probes: Sequence[Probe], progress: bool = False) -> list[AttributeScores]:
        return [AttributeScores(self._attributes, self._draw(probe)) for probe in probes]

    def _draw(self, probe: Probe) -> Float[np.ndarray, "k a"]:
        texts = np.array([stable_hash(plain(response)) for response in probe.responses], np.uint64)
        return uniform(self.seed, stable_hash(probe.key), texts[:, None], np.arange(len(self._attributes)))


class RewardJudge(Judge):
    """One reward for all users: a logistic (Bradley-Terry-Luce) model of pairs, on a regressor's features.

    Its one attribute is "reward", the logistic function of the reward. It cannot serve a target: whatever it
    chooses for, it chooses the largest reward.

    Args:
        features: What reads a response; None for measures alone.
        users: Whose choices it learns from, by name: the weight of each label in a user's utility. A pair
            between which a user is indifferent is left out.
        measures: Measures of the text beside the features.
        num_components: Principal components of the features kept.
        measures_scale: Spread of a measure, where a component's is 1; larger trusts measures more.
        penalty: Nats a pair that half a squared weight costs, > 0.

    Raises:
        ConfigError: The penalty is not positive, there is no user, or neither feature nor measure.

    Reference:
        [BradleyTerry1952] Rank analysis of incomplete block designs.
    """

    def __init__(
        self,
        features: FeatureExtractor | None = None,
        users: Mapping[str, Mapping[str, float]] | None = None,
        measures: Sequence[str] = ("log_length",),
        num_components: int = 32,
        measures_scale: float = 3.0,
        penalty: float = 1.0,
    ) -> None:
        if not penalty > 0:
            raise ConfigError(f"penalty must be > 0, came {penalty}")
        self.users = users or {"helpful": {"helpfulness": 1.0}}
        self.penalty = penalty
        self._rows = ProbeRows(features, measures, num_components, measures_scale)
        self._weights: Float[np.ndarray, " d"] | None = None
        self._seconds = 0.0

    @property
    def attributes(self) -> tuple[str, ...]:
        return (REWARD,)

    @property
    def cost(self) -> Cost:
        return Cost(seconds=self._seconds)

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:
        probes = [each.probe for each in labelled]
        self._rows.fit(probes, progress)
        differences = []
        for each, rows in zip(labelled, self._rows.of(probes), strict=True):
            first, second = np.triu_indices(len(rows), 1)
            for weights in self.users.values():
                utility = each.labels.columns(list(weights)) @ np.array(list(weights.values()))
                sign = np.sign(np.round(utility[first] - utility[second], 9))
                differences.append(((rows[first] - rows[second]) * sign[:, None])[sign != 0])
        better_less_worse = np.concatenate([np.zeros((0, self._rows.width)), *differences])
        if not len(better_less_worse):
            raise ConfigError(
                "a reward model needs a pair between which some user is not indifferent, came none"
            )
        self._weights = logistic(better_less_worse, self.penalty)

    def score(self, probes: Sequence[Probe], progress: bool = False) -> list[AttributeScores]:
        if self._weights is None:
            raise ConfigError("the reward model has learned nothing; call learn")
        started = time.monotonic()
        scores = []
        for probe, part in zip(probes, self._rows.of(probes, progress), strict=True):
            rows, _, where = distinct_rows(probe, part)
            reward = 1 / (1 + np.exp(-(rows @ self._weights)))
            scores.append(AttributeScores((REWARD,), reward[where][:, None]))
        self._seconds += time.monotonic() - started
        return scores


def logistic(better_less_worse: Float[np.ndarray, "n d"], penalty: float) -> Float[np.ndarray, " d"]:
    """Weights that minimise the mean of log(1 + exp(-w . x)) plus `penalty` / 2 times |w|^2."""
    differences = torch.from_numpy(better_less_worse).unsqueeze(0)
    return ridge_logistic(differences, penalty * len(better_less_worse))[0].numpy()
