import pytest

from fsa.choices.reading.table_cache import keep, table_key
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError
from fsa.types import Choice, Pick


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "choices"


def table(counts=None) -> ChoiceTable:
    return ChoiceTable.from_choices([Choice("ann", "p", ("a", "b"), Pick(0))], counts)


def never() -> ChoiceTable:
    raise AssertionError("read again")


def test_a_kept_table_is_not_read_again(folder):
    assert len(keep("key", table)) == 1
    assert keep("key", never).choices_of("ann") == table().choices_of("ann")
    assert {path.suffix for path in folder.iterdir()} == {".arrow", ".blake2b"}


def test_a_table_with_bad_records_is_read_each_time(folder):
    keep("key", lambda: table({"bad_records": 1}))
    assert not folder.exists()
    with pytest.raises(AssertionError, match="read again"):
        keep("key", never)


def test_a_damaged_table_is_read_and_kept_anew(folder):
    keep("key", table)
    path = folder / "key.arrow"
    path.write_bytes(path.read_bytes()[:-8] + b"damaged!")
    assert len(keep("key", table)) == 1
    assert len(keep("key", never)) == 1


def test_the_key_is_of_settings_and_content_and_not_of_names(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("x")
    second.write_text("x")
    assert table_key([1], [first]) == table_key([1], [second]) != table_key([2], [first])
    second.write_text("y")
    assert table_key([1], [first]) != table_key([1], [second])
    with pytest.raises(ChoiceDataError, match="cannot be read"):
        table_key([1], [tmp_path / "c"])
