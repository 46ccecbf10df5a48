"""Lines of JSON: what is read the short way is what the strict parser says."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fsa.choices.reading.json_lines import _parse, _usual, json_lines
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
