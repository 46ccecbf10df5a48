import pytest

from fsa.choices.source import Source
from fsa.choices.table import ChoiceTable


class Nothing(Source):
    def load(self) -> ChoiceTable:
        return ChoiceTable.from_choices([])


def test_a_source_knows_no_truth_unless_it_says_so():
    assert Nothing().truth(Nothing().load()) is None


def test_a_source_has_to_load():
    with pytest.raises(TypeError, match="load"):
        Source()  # type: ignore[abstract]
