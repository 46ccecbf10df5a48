import pytest
from pydantic import TypeAdapter, ValidationError

from fsa.serve.problems import Unprocessable
from fsa.serve.shapes import ErrorDetail, Lenient, Records, Shape, asked, is_person_id

RECORD = {"prompt": "Tea?", "chosen": "Yes", "rejected": "No"}


def test_who_is_meant_is_said_in_one_way():
    assert asked("t", "ann", None).user == "ann"
    assert asked("t", None, None, "fsa/bob").user == "bob"
    assert asked("t", None, None, "another-model").user is None
    assert asked("t", None, [RECORD]).choices == (RECORD,)
    with pytest.raises(Unprocessable, match="name two people"):
        asked("t", "ann", [RECORD])
    with pytest.raises(Unprocessable, match="model names no person"):
        asked("t", None, None, "fsa/no spaces")


@pytest.mark.parametrize(
    ("value", "expected"), [("ann", True), ("a" * 201, False), ("", False), ("ann\n", False)]
)
def test_an_id_is_a_short_word(value, expected):
    assert is_person_id(value) is expected


def test_records_are_checked_and_their_user_is_whoever_they_are_sent_for():
    read = TypeAdapter(Records).validate_python
    assert read([{**RECORD, "user": "somebody else"}]) == [RECORD]
    with pytest.raises((ValidationError, Exception), match=r"choices\[1\]"):
        read([RECORD, {"prompt": "Tea?"}])


def test_ours_refuse_what_they_do_not_know_and_other_protocols_do_not():
    class Ours(Shape):
        a: int

    class Theirs(Lenient):
        a: int

    assert Theirs(a=1, b=2).a == 1
    with pytest.raises(ValidationError, match="b"):
        Ours(a=1, b=2)
    assert ErrorDetail(message="m", type="t").message == "m"
