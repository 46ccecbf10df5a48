"""After training: how sure to be, by validation choices."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from fsa.encoders.encoder import ContextEncoder
from fsa.episodes.sampler import EpisodeRows
from fsa.likelihoods.likelihood import ChoiceLikelihood, outcome_log_prob
from fsa.models.scorer import Scorer
from fsa.predictive import Predictive
from fsa.training.datamodule import EpisodeData
from fsa.types import ChoiceBatch

_TIMES = 4  # as many other draws of the validation choices as those that steps are validated on


def calibrate(
    encoder: ContextEncoder,
    scorer: Scorer,
    likelihood: ChoiceLikelihood,
    data: EpisodeData,
    episodes: EpisodeRows | None = None,
) -> Float[np.ndarray, " p"] | None:
    """Let a scorer look at validation episodes once, at every context size; see `Scorer.calibrate`.

    Every process of several looks at all of them, and comes to the same end.

    Args:
        encoder, scorer, likelihood: What predicts.
        data: Whose validation choices are looked at.
        episodes: Episodes of these choices; None for those that steps are validated on.

    Returns:
        Negative log-likelihood of each person's episodes afterwards, in nats a choice; None where nothing was
        done.
    """
    encoder.eval()
    episodes = data.frozen if episodes is None else episodes
    batches = (data.collate_frozen(episodes.with_context(size)) for size in data.settings.context_sizes)

    def log_prob(predictive: Predictive, choices: ChoiceBatch) -> Float[Tensor, "b n"]:
        return outcome_log_prob(likelihood, predictive, choices)

    nll = scorer.calibrate(encoder, log_prob, batches, len(data.validation.table))
    if nll is None:
        return None
    return of_each_person(episodes.user, nll.double().numpy())


def other_draws(data: EpisodeData) -> EpisodeRows:
    """Draws of the validation choices that no step, form or weights were chosen by, and more of them.

    The same people and choices, but other contexts and targets: on the draws that something was chosen by, a
    model looks surer than it is on others (docs/log.md).
    """
    first = data.settings.validation_episodes
    return data.validation.draw(np.arange(first, (1 + _TIMES) * first))


def of_each_person(user: Int[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " p"]:
    """Mean of the values of each person there is, in the order of their numbers."""
    _, person, count = np.unique(user, return_inverse=True, return_counts=True)
    return np.bincount(person, values) / count
