"""`Source`: where choices come from, and `Truth`: how they were made, where that is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable


@dataclass(frozen=True)
class Truth:
    """Every taste a user could have, and what each taste makes of every item.

    A user has one of t tastes and chooses by Plackett-Luce on that taste's rewards: a pick is its first
    stage, a ranking all of its stages. With `tie_weight` > 0 there are picks alone and all options of a
    choice may tie, by Davidson's rule. Continuous tastes are a sample of tastes.
    `fsa.recipes.measuring.bayes` predicts by it.

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


class Source(ABC):
    """Gives the same choices in the same order each time it is asked."""

    @abstractmethod
    def load(self) -> ChoiceTable:
        """All choices, every split of them.

        Raises:
            ChoiceDataError: A record is not what the format allows; names file, line, field and value.
        """

    def truth(self, table: ChoiceTable) -> Truth | None:
        """What generated the choices of a table that this source loaded, where it is known."""
        return None
