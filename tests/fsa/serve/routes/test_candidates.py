"""The file of candidates over HTTP."""

import pytest

from fsa.errors import ChoiceDataError
from tests.factories.lines import jsonl


def test_candidates_are_those_of_the_file_by_prompt(serve, tmp_path):
    chat = [{"role": "user", "content": "Hi"}]
    rows = [
        {"prompt": chat, "response": "a", "levels": {"warm": 1}},
        {"prompt": "Tea?", "response": "<b>b</b>", "levels": {"warm": 2}},
        {"prompt": chat, "response": "c", "levels": {"warm": 3}},
        {"prompt": "Tea?", "response": "d", "levels": {"warm": 4}},
    ]
    client = serve(candidates=jsonl(tmp_path / "c.jsonl", rows))
    assert client.get("/v1/candidates").json() == {
        "groups": [
            {"prompt": chat, "responses": ["a", "c"], "levels": {"warm": [1, 3]}},
            {"prompt": "Tea?", "responses": ["<b>b</b>", "d"], "levels": {"warm": [2, 4]}},
        ]
    }


def test_without_a_file_there_are_none(client):
    assert client.get("/v1/candidates").json() == {"groups": []}


def test_a_file_that_is_none_ends_the_start(serve, tmp_path):
    with pytest.raises(ChoiceDataError, match=r"c.jsonl:1: response is missing"):
        serve(candidates=jsonl(tmp_path / "c.jsonl", [{"prompt": "Tea?"}]))
