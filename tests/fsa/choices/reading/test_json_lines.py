"""Lines of JSON: what is read the short way is what the strict parser says."""

import gzip
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fsa.choices.reading import json_lines as reading
from fsa.choices.reading.json_lines import (
    _parse,
    _usual,
    all_json_lines,
    json_blocks,
    json_lines,
    refuse_special,
)
from fsa.errors import ChoiceDataError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
)
SPACES = st.sampled_from(["", " ", "\t", "  ", "\r"])


def strictly(line: str):
    try:
        return "is", repr(_parse(line))
    except ValueError as error:
        return "error", str(error)


@st.composite
def objects(draw) -> str:
    """An object as text, with names that may come twice, and spaces where JSON allows them."""
    pairs = draw(st.lists(st.tuples(st.text('ab\u00e9:"', max_size=2), VALUES), max_size=5))
    escape = draw(st.booleans())
    written = [
        json.dumps(name, ensure_ascii=escape)
        + draw(SPACES)
        + ":"
        + draw(SPACES)
        + json.dumps(value, ensure_ascii=escape)
        for name, value in pairs
    ]
    return "{" + ",".join(written) + "}"


@settings(max_examples=500)
@given(objects())
@example('{"a": 1, "a": 2}')
@example('{"a": 1, "a" : 2}')
@example('{"a": 1, "\\u0061": 2}')
@example('{"a": "x\\":", "a": 2}')
@example('{"a": {"b": 1, "b": 2}}')
@example('{"a": {}, "a": 1}')
@example('{"a": 123456789012345678901234567890}')
@example('{"a": -9223372036854775809}')
@example('{"a": [[1], [-9223372036854775809]], "b": 2}')
@example('{"a": NaN}')
@example('{"a": "\\ud800"}')
def test_the_short_way_says_what_the_strict_parser_says_or_nothing(line: str):
    try:
        short = _usual(line.encode())
    except UnicodeEncodeError:
        return
    if short is not None:
        assert strictly(line) == ("is", repr(short))


def test_usual_lines_take_the_short_way():
    line = {"user": "ann", "prompt": 'Tea: "yes" or "no"?', "options": ["é", "b :"], "chosen": 1}
    assert _usual(json.dumps(line).encode()) == line
    assert _usual(json.dumps(line, ensure_ascii=False).encode()) == line


def test_a_name_given_twice_is_refused_however_it_is_written(tmp_path):
    for number, line in enumerate(['{"a": 1, "a": 2}', '{"a": 1, "\\u0061": 2}', '{"a" : 1, "a"\t: 2}']):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(line)
        with pytest.raises(ChoiceDataError, match=rf"{number}\.jsonl:1: 'a' must be given once, came twice"):
            list(json_lines(path, lambda error: (_ for _ in ()).throw(error)))


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
