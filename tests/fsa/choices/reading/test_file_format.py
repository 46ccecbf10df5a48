import gzip

import pytest

from fsa.choices.reading.file_format import file_format
from fsa.errors import ChoiceDataError


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", b"PAR1...", "parquet"),
        ("a.csv", b'\n\n{"user": 1}', "jsonl"),
        ("a.csv", gzip.compress(b'{"user": 1}', mtime=0), "jsonl"),
        ("a.jsonl", b"a,b\n1,2\n", "csv"),
        ("a.jsonl", b"nonsense", "jsonl"),  # the name decides where the first line could be either
        ("a", "\ufeffa;b\n".encode(), "csv"),
    ],
)
def test_a_file_is_what_its_content_says(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    assert file_format(tmp_path / name) == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "came a zip or Excel file"),
        (b"\xff\xfea\0", "UTF-16"),
        (b" \n", "must hold at least one record, came none"),
        (b"[{}]", "must be one JSON object a line, came a list"),
        (b"a,b\0c", "bytes that are no text"),
        (b"just words", "came 'just words'"),
        (gzip.compress(b"a,b" * 100, mtime=0)[:20], "damaged gzip file"),
    ],
)
def test_what_is_known_to_be_something_else_is_refused_by_name(tmp_path, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ChoiceDataError, match=said):
        file_format(tmp_path / "a.csv")
