"""A model's own answers in several styles, on a tiny model with a chat template."""

import json
from pathlib import Path

import numpy as np
import pytest

from fsa.errors import ChoiceDataError, ConfigError
from fsa.recipes import answers as recipe
from fsa.recipes.answers import Style, some_prompts, write_answers
from tests.factories.byte_llama import save_chat_llama

STYLES = [Style("plain"), Style("shown", system="Be odd.", examples=[["a?", "b!"]])]


@pytest.fixture
def chatty(tmp_path: Path) -> Path:
    return save_chat_llama(tmp_path / "model")


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    prompts = ["one", "two", "one", "three words here", "x" * 90, "two\nlines", " "]
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    return path


def written(chatty: Path, asked: Path, out: Path, **more: object) -> list[dict]:
    settings = {"backbone": str(chatty), "system": "Be brief.", "max_new_tokens": 5, "batch_size": 2} | more
    write_answers(str(asked), STYLES, out=str(out), **settings)  # type: ignore[arg-type]
    return [json.loads(line) for line in out.read_text().splitlines()[1:]]


def test_every_prompt_is_answered_in_every_style_and_no_line_shows_the_style(chatty, asked, tmp_path):
    lines = written(chatty, asked, tmp_path / "a.jsonl")
    assert {(line["style"], line["prompt"][-1]["content"]) for line in lines} == {
        (style, prompt) for style in ("plain", "shown") for prompt in ("one", "two", "three words here")
    }
    for line in lines:
        assert line["prompt"][0] == {"role": "system", "content": "Be brief."}
        assert len(line["prompt"]) == 2
        assert line["tokens"] <= 5
        assert line["stopped"] or line["tokens"] == 5


def test_a_killed_run_goes_on_and_writes_what_it_would_have_written(chatty, asked, tmp_path, monkeypatch):
    whole = written(chatty, asked, tmp_path / "whole.jsonl")
    path = tmp_path / "killed.jsonl"
    written(chatty, asked, path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4]) + lines[4][:9])  # the second batch is cut in two
    assert written(chatty, asked, path) == whole
    monkeypatch.setattr(recipe, "ChatWriter", lambda *a, **k: pytest.fail("nothing is left to write"))
    assert written(chatty, asked, path) == whole
    with pytest.raises(ConfigError, match="delete it, or change --out"):
        written(chatty, asked, path, seed=1)


def test_prompts_are_short_different_and_drawn_by_seed(asked):
    assert sorted(some_prompts(str(asked), 9, 80, seed=0)) == ["one", "three words here", "two"]
    some = some_prompts(str(asked), 2, 80, seed=0)
    assert some == some_prompts(str(asked), 2, 80, seed=0)
    assert len(some) == len(set(some)) == 2
    with pytest.raises(ChoiceDataError, match="at most 2 characters"):
        some_prompts(str(asked), 9, 2, seed=0)


def test_prompts_may_be_named_one_by_one():
    assert sorted(some_prompts(["one ", "two", "one", "two\nlines"], 9, 80, seed=0)) == ["one", "two"]
    with pytest.raises(ChoiceDataError, match="prompts: must hold a prompt of one line of at most 2"):
        some_prompts(["three"], 9, 2, seed=0)


def test_an_example_is_two_texts():
    with pytest.raises(ConfigError, match="an example is a question and an answer"):
        Style("odd", examples=[["only a question"]])


def test_the_table_at_the_end_measures_answers_that_stopped():
    lines = [
        {"style": "plain", "response": "Yes!", "stopped": True},
        {"style": "plain", "response": "Yes and", "stopped": False},
    ]
    table = recipe._summary(lines, [Style("plain")])
    cells = {str(column.header): next(iter(column.cells)) for column in table.columns}
    assert (cells["answers"], cells["stopped %"]) == ("2", "50")
    assert cells["log_exclamations"] == f"{np.log(2):.2f}"
