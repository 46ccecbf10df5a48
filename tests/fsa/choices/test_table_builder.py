import numpy as np
import pytest

from fsa.choices.table import ChoiceTable
from fsa.choices.table_builder import TableBuilder
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick


def test_a_pick_among_texts_is_added_as_any_choice_is():
    slow, fast = TableBuilder(), TableBuilder()
    for user, chosen in (("ann", 1), ("bob", 0)):
        slow.add(Choice(user, "Tea?", ("Yes", "No"), Pick(chosen), "g", "train"))
        fast.add_picks([(user, "Tea?", ["Yes", "No"], chosen, "g", "train")])
    for name, column in slow.columns().items():
        np.testing.assert_array_equal(fast.columns()[name], column)


def test_a_text_and_an_item_are_stored_once():
    builder = TableBuilder()
    for _ in range(3):
        builder.add_picks([("ann", "Tea?", ["Tea?", "No"], 0, "", "")])
    table = ChoiceTable.from_columns(**builder.columns())
    assert (table.num_items, table.texts.to_pylist(), len(table)) == (2, ["Tea?", "No"], 3)


def test_text_and_numbers_do_not_mix():
    builder = TableBuilder()
    builder.add(Choice("ann", "", ((1.0,), (2.0,)), Pick(0)))
    assert builder.width == 1
    for other in (((1.0, 2.0), (3.0, 4.0)), ("Yes", "No")):
        with pytest.raises(ChoiceDataError, match="options must all be of one kind, came 1 numbers and then"):
            builder.add(Choice("ann", "", other, Pick(0)))
