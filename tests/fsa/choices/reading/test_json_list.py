"""Files of one JSON list: rows with their number, strict."""

import gzip
from pathlib import Path

import pytest

from fsa.choices.reading.json_list import holds_list, json_list
from fsa.errors import ChoiceDataError


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content", [b'[{"a": 1},\n 2]', b'\xef\xbb\xbf [{"a": 1}, 2]', gzip.compress(b'[{"a":1},2]', mtime=0)]
)
def test_rows_come_with_their_number(tmp_path, content):
    path = written(tmp_path, content)
    assert holds_list(path)
    assert list(json_list(path)) == [(f"{path}:1", {"a": 1}), (f"{path}:2", 2)]


def test_other_files_are_no_lists(tmp_path):
    assert not holds_list(written(tmp_path, b'{"a": 1}\n'))
    assert not holds_list(tmp_path)
    assert not holds_list(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1,\n2", r"a.json:2: must be one JSON list: Expecting ',' delimiter at column 2"),
        (b"[1]\n[2]", r"a.json:2: must be one JSON list: Extra data"),
        (b'[{"a": 1, "a": 2}]', r"a.json: 'a' must be given once, came twice"),
        (b"[NaN]", r"a.json: numbers must be finite, came NaN"),
        (b'["\xff"]', r"a.json: must be UTF-8, byte 3"),
        (b"[" * 200_000, r"a.json: must be one JSON list, came one nested too deeply"),
        (gzip.compress(b"[1, 2, 3]", mtime=0)[:-6], r"a.json: damaged gzip file"),
    ],
)
def test_what_is_no_list_is_one_error_with_its_place(tmp_path, content, said):
    with pytest.raises(ChoiceDataError, match=said):
        list(json_list(written(tmp_path, content)))
