"""`Source`: where choices come from."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fsa.choices.simulation.ground_truth import Truth
from fsa.choices.table import ChoiceTable


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
