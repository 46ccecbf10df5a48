import gzip

import pytest

from fsa.choices.reading import json_lines as reading
from fsa.choices.reading.json_lines import all_json_lines, json_blocks, json_lines, refuse_special
from fsa.errors import ChoiceDataError


def stop(error: ChoiceDataError) -> None:
    raise error


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_line_comes_with_its_place_and_blank_ones_count(tmp_path, pack):
    path = tmp_path / "a.jsonl"
    path.write_bytes(pack("\ufeff1\r\n\n [2]".encode()))
    assert all_json_lines(path, stop) == [(f"{path}:1", 1), (f"{path}:3", [2])]
    assert list(json_lines(path, stop)) == all_json_lines(path, stop)


def test_blocks_hold_many_lines_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_ROWS", 3)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{i}\n" for i in range(7)))
    blocks = [[value for _, value in block] for block in json_blocks(path, stop)]
    assert blocks == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_bad_line_is_told_of_after_all_before_it_came(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("1\n{\n2\n")
    told: list[str] = []
    seen: list[object] = []
    for _, value in json_lines(path, lambda error: told.append(f"{error} after {seen}")):
        seen.append(value)
    assert seen == [1, 2]
    assert len(told) == 1
    assert told[0].startswith(f"{path}:2: line must be one JSON object")
    assert told[0].endswith("after [1]")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a": 1, "a": 2}', "'a' must be given once, came twice"),
        (b"[NaN]", "numbers must be finite, came NaN"),
        (b'"\xff"', "byte 2 of it is 0xff"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"' + b"x" * 50, "at most 40 bytes long"),
    ],
)
def test_a_line_that_is_no_json_is_bad(tmp_path, line, said):
    (tmp_path / "a.jsonl").write_bytes(line)
    longest = 40 if "40" in said else 1 << 20
    with pytest.raises(ChoiceDataError, match=said):
        list(json_lines(tmp_path / "a.jsonl", stop, max_line_bytes=longest))


def test_a_device_and_a_missing_file_are_refused(tmp_path):
    for path, said in (("/dev/null", "a pipe or device"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(ChoiceDataError, match=said):
            refuse_special(path)
