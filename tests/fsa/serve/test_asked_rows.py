"""Whom a row means."""

import json

import pytest

from fsa.errors import ChoiceDataError
from fsa.serve.asked_rows import asked_in
from fsa.serve.people import Asked
from tests.fsa.serve.small import choices, pair


def test_a_name_a_number_choices_or_nobody():
    assert asked_in("ann", None, "t", "row 0") == Asked("t", "ann")
    assert asked_in(7, None, "t", "row 0") == Asked("t", "7")
    assert asked_in(None, None, "t", "row 0") is None
    assert asked_in("", None, "t", "row 0") is None
    assert asked_in("ann", [], "t", "row 0") == Asked("t")  # somebody unknown
    expected = Asked("t", None, tuple(choices(2)))
    assert asked_in("ann", choices(2), "t", "row 0") == expected
    assert asked_in(None, json.dumps(choices(2)), "t", "row 0") == expected


def test_nulls_of_a_column_are_fields_left_out():
    # As `datasets` gives records of different fields.
    row = {**pair("a", "b"), "options": None, "ranking": None}
    assert asked_in(None, [row], "t", "row 0") == Asked("t", None, (pair("a", "b"),))


@pytest.mark.parametrize(
    ("user", "given", "said"),
    [
        (1.5, None, "row 3: user must be a text or whole number, came 1.5"),
        (None, "[", "row 3: choices must be JSON"),
        (None, {"prompt": "p"}, "row 3: choices must be a list of records"),
        (None, [{"prompt": "p"}], r"row 3: choices\[0\]: options is missing"),
    ],
)
def test_what_is_none_of_these_is_named_with_its_row(user, given, said):
    with pytest.raises(ChoiceDataError, match=said):
        asked_in(user, given, "t", "row 3")
