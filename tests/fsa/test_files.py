"""A file has its name when it is whole, and not before."""

import pytest

from fsa.files import whole_file, write_whole


def test_a_file_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "numbers.csv"
    with whole_file(path) as unfinished:
        unfinished.write_text("1,2")
        assert not path.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["numbers.csv"]


def write_half(path):
    with whole_file(path) as unfinished:
        unfinished.write_text("half of")
        raise KeyError("cut off")


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("old")

    with pytest.raises(KeyError):
        write_half(path)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"numbers.csv": "old"}


def test_two_writers_at_once_do_not_share_a_file(tmp_path):
    with whole_file(tmp_path / "a") as first, whole_file(tmp_path / "a") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"


def test_text_is_utf_8(tmp_path):
    write_whole(tmp_path / "a.md", "é")
    assert (tmp_path / "a.md").read_bytes() == "é".encode()
