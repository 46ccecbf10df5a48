import pytest

from fsa.errors import ChoiceDataError
from fsa.outputs.candidates import read_candidates
from tests.factories.lines import jsonl


def test_responses_come_by_prompt_each_once(tmp_path):
    rows = [("a", "x"), ("b", "y"), ("a", "z"), ("a", "x"), ("b", "x")]
    path = jsonl(tmp_path / "c.jsonl", [{"prompt": p, "response": r, "more": 1} for p, r in rows])
    found = read_candidates(path)
    assert [(one.prompt, list(one.responses)) for one in found] == [("a", ["x", "z"]), ("b", ["y", "x"])]
    assert all(one.levels is None for one in found)


def test_levels_follow_their_responses_whatever_their_order(tmp_path):
    rows = [
        {"response": [1, 0], "levels": {"warm": 1, "long": 0.5}},
        {"response": [0, 1], "levels": {"long": 2, "warm": 0}},
        {"response": [1, 0], "levels": {"long": 9, "warm": 9}},
    ]
    [group] = read_candidates(jsonl(tmp_path / "c.jsonl", rows))
    assert group.responses == [(1.0, 0.0), (0.0, 1.0)]
    assert group.levels == {"warm": [1.0, 0.0], "long": [0.5, 2.0]}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there must be a candidate"),
        ([{"prompt": "a", "response": "x"}], 'needs two different responses; "a" has one'),
        ([{"prompt": "a"}], 'c.jsonl:1: response is missing; the candidate has "prompt"'),
        (["[1]"], "c.jsonl:1: candidate must be an object"),
        (['{"response": "\\ud800"}'], "half a surrogate pair"),
        ([{"response": "x", "levels": {"a": "much"}}], "c.jsonl:1: levels must be a number by the name"),
        ([{"response": "x", "levels": {"a": True}}], "levels must be a number"),
        ([{"response": "x", "levels": {"a": 1}}, {"response": "y"}], "c.jsonl:2: levels must be those"),
        ([{"response": "x"}, {"response": "y", "levels": {"a": 1}}], "c.jsonl:2: levels must be those"),
    ],
)
def test_what_is_no_candidate_is_refused_with_its_line(tmp_path, rows, words):
    with pytest.raises(ChoiceDataError, match=words):
        read_candidates(jsonl(tmp_path / "c.jsonl", rows))
