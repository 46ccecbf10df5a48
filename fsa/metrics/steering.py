"""`flip_correctness`: predictions that follow the context, and those that ignore it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from fsa.metrics.choice_accuracy import SAME, correctness


def flip_correctness(
    probabilities_given_reversed: Float[np.ndarray, "n k"],
    places: Int[np.ndarray, "n k"],
    same: float = SAME,
) -> Float[np.ndarray, " n"]:
    """Agreement with the original outcome once the context is reversed; its mean is the flip accuracy.

    A model that follows the choices now predicts the opposite person: the more accurate it was, the lower its
    flip accuracy, down to 1 - accuracy where opposite choices mean opposite tastes. A model that ignores them
    keeps its accuracy.

    Args:
        probabilities_given_reversed: Predictions from `context.reversed()`.
        places: Outcomes as they were, of targets that were not reversed; see `correctness`.
        same: As there.
    """
    return correctness(probabilities_given_reversed, places, same)
