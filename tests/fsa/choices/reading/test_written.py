"""A choice written as a record is the same choice when it is read."""

import json

import pytest

from fsa.choices.reading.record import parse_record
from fsa.choices.reading.written import record_of
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick, Ranking, Tie

ASKED = ({"role": "user", "content": "Tea?"},)


@pytest.mark.parametrize(
    "choice",
    [
        Choice("ann", "Tea?", ("Yes.", "No."), Pick(1)),
        Choice("ann", ASKED, ("Yes.", "No.", "Why?", "When?"), Ranking((2, 0)), "g", "test"),
        Choice("ann", "Tea?", ("Yes.", "No.", "Why?"), Tie((0, 1, 2))),
        Choice("ann", "", ((0.5, 1.0), (2.0, 3.0)), Pick(0)),
        Choice("ann", ASKED, tuple(({"role": "assistant", "content": said},) for said in "ab"), Pick(0)),
    ],
)
def test_round_trip(choice):
    record = record_of(choice)
    assert set(record) <= {"user", "prompt", "options", "chosen", "ranking", "group", "split"}
    assert parse_record(json.loads(json.dumps(record)), "x:1") == choice


def test_a_tie_of_some_has_no_record():
    with pytest.raises(ChoiceDataError, match="a tie of some options cannot be written"):
        record_of(Choice("ann", "Tea?", ("a", "b", "c"), Tie((0, 1))))
