import numpy as np

from fsa.choices.fingerprint import fingerprint
from fsa.choices.table import ChoiceTable
from fsa.types import Choice, Pick

CHOICES = [Choice("ann", "p", ("ab", "c"), Pick(0)), Choice("bob", "p", ("a", "bc"), Pick(1))]


def test_equal_choices_have_one_fingerprint_wherever_they_lie(tmp_path):
    table = ChoiceTable.from_choices(CHOICES)
    table.save(tmp_path / "t.arrow")
    assert fingerprint(ChoiceTable.open(tmp_path / "t.arrow")) == fingerprint(table)


def test_another_outcome_user_or_text_is_another():
    whole = ChoiceTable.from_choices(CHOICES)
    others = [
        ChoiceTable.from_choices([CHOICES[0].reversed(), CHOICES[1]]),
        ChoiceTable.from_choices(CHOICES[:1]),
        whole.select(np.array([1])),
        ChoiceTable.from_choices([Choice("ann", "p", ("a", "bc"), Pick(0)), CHOICES[1]]),
    ]
    assert len({fingerprint(table) for table in [whole, *others]}) == 5
