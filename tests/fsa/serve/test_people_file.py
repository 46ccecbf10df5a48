"""People of a JSONL file: found by name, read again when it was written."""

import json
import os

import pytest

from fsa.errors import ChoiceDataError
from fsa.serve.people_file import PeopleFile, open_people
from fsa.serve.store.people import PeopleStore
from tests.fsa.serve.small import choices

ANN, BOB = ("t", "ann"), ("t", "bob")


def write(path, people, age=0):
    lines = [{"user": user, "group": "g", **choice} for user, each in people.items() for choice in each]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(path, ns=(age, age))


@pytest.fixture
def file(tmp_path):
    write(tmp_path / "p.jsonl", {"ann": choices(2), "bob": choices(1)})
    return PeopleFile(tmp_path / "p.jsonl")


def test_records_are_those_of_the_file_without_their_user(file):
    assert set(file.revisions({ANN, BOB, ("t", "zoe")})) == {ANN, BOB}
    assert file.records({ANN}) == {ANN: choices(2)}


def test_a_change_of_one_is_no_change_of_another(file):
    before = file.revisions({ANN, BOB})
    write(file.path, {"ann": choices(3), "bob": choices(1)}, age=1)
    after = file.revisions({ANN, BOB})
    assert after[ANN] != before[ANN]
    assert after[BOB] == before[BOB]
    write(file.path, {"bob": choices(1)}, age=2)
    assert set(file.revisions({ANN, BOB})) == {BOB}
    assert file.records({ANN}) == {ANN: []}


def test_a_bad_line_is_named(file):
    file.path.write_text('{"user": "ann"}\n')
    with pytest.raises(ChoiceDataError, match=r"p.jsonl:1: options is missing"):
        file.revisions({ANN})
    with pytest.raises(ChoiceDataError, match=r"none.jsonl: cannot be read"):
        PeopleFile("none.jsonl").revisions({ANN})


def test_an_address_is_a_database(tmp_path):
    assert isinstance(open_people(f"sqlite:///{tmp_path}/a.db"), PeopleStore)
    assert isinstance(open_people("a.jsonl"), PeopleFile)
