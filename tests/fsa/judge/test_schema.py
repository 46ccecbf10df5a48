"""Answers of language models: what is taken from them, and what never is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsa.errors import ConfigError
from fsa.judge.schema import (
    Scored,
    choice_schema,
    is_refusal,
    letters_for,
    read_choice,
    read_scores,
    scores_schema,
)


def entry(score: object = 50, reasoning: object = "It is so.") -> dict:
    return {"reasoning": reasoning, "score": score}


def test_a_valid_answer_gives_hundredths_and_no_problem():
    found, problems = read_scores(json.dumps({"A": entry(0), "B": entry(75)}), "AB", 20)
    assert found == {"A": Scored(0.0, "It is so."), "B": Scored(0.75, "It is so.")}
    assert problems == ()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (entry(101), "score out of range"),
        (entry(-1), "score out of range"),
        (entry(10**30), "score out of range"),
        (entry(50.5), "malformed answer"),
        (entry("50"), "malformed answer"),
        (entry(True), "malformed answer"),
        (entry(None), "malformed answer"),
        (entry(reasoning="  \n"), "no reasoning"),
        (entry(reasoning=""), "no reasoning"),
        (entry(reasoning=None), "malformed answer"),
        (entry(reasoning="x" * 31), "reasoning too long"),
        (entry(reasoning="half a \ud800 letter"), "malformed answer"),
        (entry(reasoning="I'm sorry, I can't."), "refusal"),
        ({"score": 50}, "malformed answer"),
        ({**entry(), "extra": 1}, "malformed answer"),
        (50, "malformed answer"),
    ],
)
def test_one_wrong_entry_is_a_problem_and_the_other_still_counts(wrong, problem):
    found, problems = read_scores(json.dumps({"A": entry(10), "B": wrong}), "AB", 30)
    assert found == {"A": Scored(0.1, "It is so.")}
    assert problems == (problem,)


def test_a_missing_letter_and_an_unknown_one_are_both_counted():
    found, problems = read_scores(json.dumps({"A": entry(), "C": entry()}), "AB", 20)
    assert set(found) == {"A"}
    assert sorted(problems) == ["missing letter", "unknown letter"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("50", "not JSON"),
        ("[1]", "not JSON"),
        ('{"A": {"reasoning": "It is', "not JSON"),
        ('{"A": {"reasoning": "It is", "score": NaN}}', "not JSON"),
        ('```json\n{"A": {"reasoning": "It is", "score": 5}}\n```', "not JSON"),
        ('{"A": {"reasoning": "a\nb", "score": 5}}', "not JSON"),  # a raw control character
        ("[" * 100_000, "not JSON"),
        ("I cannot rate these responses.", "refusal"),
        ('{"A": {"reasoning": "x", "score": 5}, "A": {"reasoning": "x", "score": 6}}', "repeated letter"),
        ('{"A": {"reasoning": "x", "score": 5, "score": 6}}', "repeated letter"),
    ],
)
def test_an_answer_that_is_no_json_object_scores_nothing(text, problem):
    assert read_scores(text, "A", 20) == ({}, (problem,))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["A", "B", "C", "reasoning", "score", "choice"]), inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON.map(json.dumps) | st.text())
def test_scores_outside_the_range_cannot_appear_and_every_loss_is_named(text):
    found, problems = read_scores(text, "AB", 5)
    assert all(0 <= scored.score <= 1 and scored.reasoning.strip() for scored in found.values())
    assert len(found) == 2 or problems


@settings(deadline=None)
@given(_JSON.map(json.dumps) | st.text())
def test_a_letter_is_one_of_those_shown_or_a_problem_is_named(text):
    letter, reasoning, problems = read_choice(text, "AB", 5)
    assert (letter in ("A", "B") and reasoning) or (letter is None and problems)


def test_a_choice_is_read_with_its_reasoning():
    text = json.dumps({"reasoning": "Because.", "choice": "B"})
    assert read_choice(text, "AB", 20) == ("B", "Because.", ())
    assert read_choice(text, "A", 20) == (None, None, ("unknown letter",))


@pytest.mark.parametrize("text", ["I can't find much detail.", "It is sorry work.", "As an aid, it helps."])
def test_a_sentence_about_a_response_is_no_refusal(text):
    assert not is_refusal(text)


@pytest.mark.parametrize("text", ["I’m sorry, no.", "As an AI, I have no view.", '"I cannot assess this."'])
def test_a_sentence_that_declines_is_a_refusal(text):
    assert is_refusal(text)


def test_the_schemas_ask_for_what_the_readers_want():
    schema = scores_schema("AB", 30)
    assert schema["required"] == ["A", "B"]
    assert not schema["additionalProperties"]
    part = schema["properties"]["B"]
    assert list(part["properties"]) == ["reasoning", "score"]  # the score follows from the reasoning
    assert part["properties"]["score"] == {"type": "integer", "minimum": 0, "maximum": 100}
    assert part["properties"]["reasoning"]["maxLength"] == 30
    assert choice_schema("AB", 30)["properties"]["choice"]["enum"] == ["A", "B"]


def test_more_responses_than_letters_are_one_clear_error():
    assert letters_for(26)[-1] == "Z"
    with pytest.raises(ConfigError, match="up to 26 different responses, came 27"):
        letters_for(27)
