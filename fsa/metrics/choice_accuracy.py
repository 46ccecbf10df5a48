"""`correctness` and `nll`: how well predicted probabilities of options match what was chosen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from fsa.errors import ShapeError

SAME = 1e-9
"""Predictions closer than this are a tie, in probability: rounding must not break a coin flip."""

SAME_OF_TEXT = 1e-4
"""The same where a language model read the options: single precision, summed over tokens."""


def correctness(
    probabilities: Float[np.ndarray, "n k"], places: Int[np.ndarray, "n k"], same: float = SAME
) -> Float[np.ndarray, " n"]:
    """Credit of each choice, a fraction 0-1; its mean is the accuracy.

    A prediction is right if its best option is one of those chosen. Where K options are predicted equally
    good, each has 1/K of the prediction, so a model that says nothing scores chance and no tie is "a win".

    Args:
        probabilities: Predicted probability of each option; any increasing score serves as well.
        places: What was chosen: 0 for the best options, larger for worse, -1 for padding. Of a ranking, only
            the first place counts.
        same: Predictions this close are a tie, in the units of `probabilities`.

    Raises:
        ShapeError: The two disagree, or a choice has no option.

    Example:
        >>> correctness(np.array([[0.7, 0.3], [0.5, 0.5]]), np.array([[0, 1], [0, 1]]))
        array([1. , 0.5])
    """
    predicted = _predicted(probabilities, places, same)
    return (predicted & (places == 0)).sum(-1) / predicted.sum(-1)


def confidence(
    probabilities: Float[np.ndarray, "n k"], places: Int[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """Probability given to the predicted option, a fraction 0-1; `places` only says which options exist."""
    _predicted(probabilities, places)
    return np.where(places >= 0, probabilities, -np.inf).max(-1)


def nll(
    log_probabilities: Float[np.ndarray, "n k"], places: Int[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """Negative log-likelihood of each choice, in nats; its mean is the NLL, log(K) for even odds over K.

    Where several options are tied for best, their mean: the cross-entropy of an even split among them. Of a
    ranking, only the first place counts.

    Args:
        log_probabilities: Log-probability that each option is the one picked. Samples of a belief are
            averaged before the logarithm (log-mean-exp), not after.
        places: As in `correctness`.

    Raises:
        ShapeError: The two disagree, or a choice has no option.
    """
    _predicted(log_probabilities, places)
    is_best = places == 0
    return -np.where(is_best, log_probabilities, 0).sum(-1) / is_best.sum(-1)


def _predicted(
    scores: Float[np.ndarray, "n k"], places: Int[np.ndarray, "n k"], same: float = SAME
) -> Bool[np.ndarray, "n k"]:
    """True for every option that is tied for the best prediction."""
    if scores.shape != places.shape:
        raise ShapeError(
            f"predictions are {list(scores.shape)}, places {list(places.shape)}; both must be [n, k]"
        )
    if not (places == 0).any(-1).all():
        raise ShapeError(
            f"choice {int((~(places == 0).any(-1)).argmax())} has no best option (no place is 0)"
        )
    live = np.where(places >= 0, scores, -np.inf)
    return (live >= live.max(-1, keepdims=True) - same) & (places >= 0)
