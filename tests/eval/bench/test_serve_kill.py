import io
import json

import pytest

import eval.bench.serve_kill as recipe
from eval.bench.serve_models import choices_of
from fsa.errors import StoreError


def held(monkeypatch, numbers: list[int]) -> None:
    """Let the server say that it holds these choices."""
    said = {"choices": [{"record": choices_of("numbers", n)[0]} for n in numbers]}
    monkeypatch.setattr(recipe, "urlopen", lambda *_, **__: io.BytesIO(json.dumps(said).encode()))


def test_all_that_was_answered_has_to_be_there_once(monkeypatch):
    held(monkeypatch, [1, 2, 3])
    recipe._check("http://x", {1, 3})
    with pytest.raises(StoreError, match="1 of 2 choices that were answered are missing"):
        recipe._check("http://x", {1, 4})
    held(monkeypatch, [1, 2, 2])
    with pytest.raises(StoreError, match="1 choices are there twice"):
        recipe._check("http://x", {1})


def test_a_request_without_an_answer_was_not_answered(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(recipe, "urlopen", refuse)
    assert not recipe._add("http://x", 1)
