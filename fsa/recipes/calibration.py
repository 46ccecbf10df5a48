"""After training: how sure to be, by validation choices."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from fsa.encoders.encoder import ContextEncoder
from fsa.likelihoods.likelihood import ChoiceLikelihood, outcome_log_prob
from fsa.models.scorer import Scorer
from fsa.predictive import Predictive
from fsa.training.datamodule import EpisodeData
from fsa.types import ChoiceBatch


def calibrate(
    encoder: ContextEncoder, scorer: Scorer, likelihood: ChoiceLikelihood, data: EpisodeData
) -> Float[np.ndarray, " p"] | None:
    """Let a scorer look at the validation episodes once, at every context size; see `Scorer.calibrate`.

    Every process of several looks at all of them, and comes to the same end.

    Returns:
        Negative log-likelihood of each person's episodes afterwards, in nats a choice; None where nothing was
        done.
    """
    encoder.eval()
    batches = (data.collate_frozen(data.frozen.with_context(size)) for size in data.settings.context_sizes)

    def log_prob(predictive: Predictive, choices: ChoiceBatch) -> Float[Tensor, "b n"]:
        return outcome_log_prob(likelihood, predictive, choices)

    nll = scorer.calibrate(encoder, log_prob, batches, len(data.validation.table))
    if nll is None:
        return None
    return of_each_person(data.frozen.user, nll.double().numpy())


def of_each_person(user: Int[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " p"]:
    """Mean of the values of each person there is, in the order of their numbers."""
    _, person, count = np.unique(user, return_inverse=True, return_counts=True)
    return np.bincount(person, values) / count
