"""`Scores`: what a person's reward model says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Scores:
    """What one person's reward model says of k responses to one prompt.

    Attributes:
        reward: In nats; comparable between responses to one prompt, a gap of 1 is odds of e to 1 [k].
        stderr: Standard deviation of the reward over the belief, or None for a point belief [k].
        low, high: Ends of the middle 90 % of what is believed of the reward, or None for a point belief [k].
        probability: That the person picks each response among all of them, 0-1, over the whole belief; None
            where it was not asked for [k].
    """

    reward: Float[np.ndarray, " k"]
    stderr: Float[np.ndarray, " k"] | None
    low: Float[np.ndarray, " k"] | None = None
    high: Float[np.ndarray, " k"] | None = None
    probability: Float[np.ndarray, " k"] | None = None
