from collections.abc import Iterator
from typing import Any

import pytest

from fsa.choices.reading.record_source import BadRecords, RecordSource
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick


class Given(RecordSource):
    """Records that are there already."""

    def __init__(self, *records: Any, skip: bool = False, drop: bool = False) -> None:
        super().__init__(
            on_bad_record="skip" if skip else "stop", ties="drop" if drop else "keep", cache=False
        )
        self.records = records

    def _records(self) -> Iterator[tuple[str, Any]]:
        return ((f"here:{i}", record) for i, record in enumerate(self.records))

    def _key(self) -> str | None:
        return None

    def _whole(self) -> str:
        return "here"


def record(**more: Any) -> dict[str, Any]:
    return {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 0, **more}


TRL = {"user": "ann", "prompt": "Tea?", "chosen": "Yes", "rejected": "No"}
NUMBERS = {"user": "ann", "options": [[1.0], [2.0]], "chosen": 1}


def test_usual_and_unusual_records_give_the_same_table():
    usual, unusual = record(), record(chosen="tie")
    for order in ([usual, unusual], [unusual, usual]):
        table = Given(*order).load()
        assert table.choices_of("ann")[order.index(usual)] == Choice("ann", "Tea?", ("Yes", "No"), Pick(0))


@pytest.mark.parametrize("first", [record(), record(chosen="tie"), NUMBERS])
def test_options_of_another_kind_than_the_first_are_refused(first):
    other = record() if first is NUMBERS else NUMBERS
    with pytest.raises(ChoiceDataError, match=r"here:1: options must be .*, as at here:0, came"):
        Given(first, other).load()


def test_skipped_records_are_counted_and_warned_of_once():
    source = Given(record(), record(chosen=7), record(user=""), skip=True)
    with pytest.warns(UserWarning, match="left out 2 bad records"):
        table = source.load()
    assert (len(table), table.counts, len(source.bad_records)) == (1, {"bad_records": 2}, 2)


def test_ties_may_be_dropped_and_are_counted():
    assert Given(record(), record(chosen="tie"), drop=True).load().counts == {"ties_dropped": 1}
    with pytest.raises(ChoiceDataError, match="came none \\(1 ties dropped\\)"):
        Given(record(chosen="tie"), drop=True).load()


def test_other_fields_are_let_through_beside_a_rejected_reply_alone():
    with pytest.warns(UserWarning, match="here: ignored fields: score"):
        assert len(Given({**TRL, "score": 1}).load()) == 1
    with pytest.raises(ChoiceDataError, match="unknown field"):
        Given(record(score=1)).load()


def test_only_the_first_bad_records_are_listed():
    bad = BadRecords(skip=True)
    for i in range(30):
        bad(ChoiceDataError(str(i)))
    with pytest.warns(UserWarning, match="left out 30 bad records:\n  0\n"):
        bad.warn(stacklevel=2)
    assert len(bad.listed) == 20
