import pytest

from fsa.choices.rows import Rows
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import Choice, Pick


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))


def row(**more):
    return {"who": 7, "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 1, "group": "g", **more}


def test_a_field_is_in_the_column_that_is_named_and_whole_numbers_are_names():
    table = Rows([row()], columns={"user": "who"}).load()
    assert table.choices_of("7") == [Choice("7", "Tea?", ("Yes", "No"), Pick(1), "g")]


def test_a_field_that_is_mapped_to_nothing_is_not_read():
    with pytest.warns(UserWarning, match="ignored fields: group"):
        table = Rows([row()], columns={"user": "who", "group": None}).load()
    assert table.groups.to_pylist() == [""]


def test_what_is_no_field_cannot_be_mapped():
    with pytest.raises(ConfigError, match="columns maps person; the fields of a record are"):
        Rows([row()], columns={"person": "who"})
    for odd in (3, {"a": "b"}, ["a", 3]):
        with pytest.raises(ConfigError, match="columns: user must be mapped to the name of a column, came"):
            Rows([row()], columns={"user": odd})


def test_a_column_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("user,prompt,chosen,rejected\nann,p,a,b\n")
    with pytest.raises(ChoiceDataError, match="user is mapped to 'who', but the columns are chosen"):
        Rows(str(tmp_path / "a.csv"), columns={"user": "who"}).load()
