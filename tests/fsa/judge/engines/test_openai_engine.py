"""The engine for OpenAI-compatible servers, against one that misbehaves in every way it can."""

import json
import time

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.judge.comparative import ComparativeJudge
from fsa.judge.engines.engine import Question
from fsa.judge.engines.openai_engine import OpenAIEngine, _Pace
from fsa.judge.schema import scores_schema
from fsa.judge.scores import Probe
from tests.factories.judges import good_body, misbehaving

GOOD = json.dumps({"A": {"reasoning": "So.", "score": 30}, "B": {"reasoning": "So.", "score": 60}})
QUESTION = Question("Score.", (("ask", "answer"),), "this", scores_schema("AB", 20), max_tokens=50, seed=7)


def engine(url: str, **arguments) -> OpenAIEngine:
    return OpenAIEngine("a-model", url, **{"first_wait": 0.001, "timeout": 0.3, **arguments})


def raw(text: str) -> tuple[int, dict[str, str], str]:
    return 200, {}, text


@pytest.mark.parametrize(
    "trouble",
    [
        429, 500, 502, 503, 408, "<hang>", "<close>", "<cut>", raw("not JSON"), raw(""), raw("[]"), raw("{}"),
        raw('{"choices": []}'), raw('{"choices": [1]}'), raw('{"choices": [{"message": null}]}'),
        raw(good_body(None)), raw(good_body(GOOD)[:-20]),
    ],
)  # fmt: skip
def test_trouble_that_passes_is_survived(trouble):
    with misbehaving(trouble, GOOD) as (url, server):
        (reply,) = engine(url).ask([QUESTION])
    assert (reply.text, reply.problem) == (GOOD, None)
    assert (reply.requests, len(server.bodies)) == (2, 2)
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize(
    ("trouble", "problem", "requests"),
    [
        (429, "HTTP 429", 3),
        (500, "HTTP 500", 3),
        ("<hang>", "time-out", 3),
        ("<close>", "no connection", 3),
        ("<cut>", "truncated body", 3),
        (raw("<html>"), "malformed body", 3),
        (raw(json.dumps({"choices": json.loads(good_body(GOOD))["choices"] * 2})), "malformed body", 3),
        (400, "HTTP 400", 1),
        (307, "HTTP 307", 1),
        (raw(good_body(GOOD[:-9], "length")), "truncated", 1),
        (raw(good_body(GOOD, "content_filter")), "refusal", 1),
        (raw(good_body(None, refusal="No.")), "refusal", 1),
        (raw(good_body("I'm sorry, I can't help with that.")), "refusal", 1),
        (raw(good_body("Response A is better, by far.")), "unconstrained output", 1),
        (raw(good_body(f"```json\n{GOOD}\n```")), "unconstrained output", 1),
        (raw(good_body("[1, 2]")), "unconstrained output", 1),
    ],
)
def test_trouble_that_stays_is_reported_and_scores_nothing(trouble, problem, requests):
    with misbehaving(trouble) as (url, server):
        judge = ComparativeJudge(engine(url, attempts=3), ["care"])
        (scores,) = judge.score([Probe("p", "", ("one", "two"))])
    assert np.isnan(scores.mean).all()
    assert scores.problems == (problem,)
    assert judge.cost.requests == len(server.bodies) == requests


def test_in_a_mix_of_everything_each_probe_is_scored_rightly_or_named():
    troubles = [500, "<close>", raw("x"), 429, "<cut>", GOOD, raw(good_body("Hm.")), 503, GOOD, raw("{}")]
    with misbehaving(*troubles, GOOD) as (url, server):
        judge = ComparativeJudge(engine(url, concurrency=4, attempts=2), ["care"])
        every = judge.score([Probe(str(i), "", ("one", "two")) for i in range(12)])
    for scores in every:
        if scores.is_complete:
            assert sorted(scores.mean[:, 0]) == [0.3, 0.6]
            assert scores.problems == ()
        else:
            assert np.isnan(scores.mean).all()
            assert len(scores.problems) == 1
    assert 1 <= sum(not scores.is_complete for scores in every) <= 10  # "Hm." for certain
    assert judge.cost.requests == len(server.bodies)


def test_each_answer_is_a_request_of_its_own_with_schema_seed_and_no_n():
    with misbehaving(GOOD) as (url, server):
        ComparativeJudge(engine(url), ["care"], samples=3).score([Probe("p", "", ("one", "two"))])
    assert len(server.bodies) == 3
    for body in server.bodies:
        assert "n" not in body
        assert body["model"] == "a-model"
        assert body["response_format"]["type"] == "json_schema"
        assert body["response_format"]["json_schema"]["schema"]["required"] == ["A", "B"]
    assert len({body["seed"] for body in server.bodies}) == 3


def test_answers_keep_the_order_of_their_questions():
    texts = [json.dumps({"A": {"reasoning": str(i), "score": i}}) for i in range(6)]
    with misbehaving(*texts) as (url, _):
        replies = engine(url, concurrency=1).ask([QUESTION] * 6)
    assert [reply.text for reply in replies] == texts


def test_tokens_of_failed_attempts_count_too():
    with misbehaving(raw(good_body(None)), GOOD) as (url, _):
        (reply,) = engine(url).ask([QUESTION])
    assert (reply.prompt_tokens, reply.generated_tokens) == (14, 6)  # 7 and 3, twice


def test_no_more_requests_at_once_than_allowed():
    with misbehaving(*["<hang>"] * 6, GOOD) as (url, server):
        engine(url, concurrency=3, timeout=5, attempts=1).ask([QUESTION] * 6)
    assert server.most_at_once == 3


def test_requests_start_no_faster_than_the_rate():
    with misbehaving(GOOD) as (url, server):
        asked = time.monotonic()
        engine(url, per_minute=60 / 0.05, concurrency=8).ask([QUESTION] * 4)
    # Three waits lie between the first and the last; a slow machine only makes it later.
    assert max(server.times) - asked >= 3 * 0.05


def test_a_pace_spaces_turns_evenly(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    pace = _Pace(2.0, clock=lambda: 100.0)
    for _ in range(3):
        pace.wait()
    assert slept == [0, 2, 4]


def test_waits_double_and_obey_the_server_up_to_a_minute(monkeypatch):
    slept = []
    with misbehaving(500, 500, (429, {"Retry-After": "9"}, ""), (429, {"Retry-After": "59"}, ""), GOOD) as (
        url,
        _,
    ):
        monkeypatch.setattr("fsa.judge.engines.openai_engine.time.sleep", slept.append)
        engine(url, first_wait=1.0).ask([QUESTION])
    waits = [seconds for seconds in slept if seconds > 0]
    # Spread by a factor of 0.5 to 1.5 around 1 and 2 seconds; then what the server asks for, at most 60.
    assert 0.5 <= waits[0] < 1.5
    assert 1.0 <= waits[1] < 3.0
    assert waits[2:] == [9.0, 59.0]


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with misbehaving(GOOD) as (url, server):
        asking = engine(url, key_from="MY_KEY")
        asking.ask([QUESTION])
        assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
        assert "sk-very-secret" not in json.dumps(server.bodies)
    assert "sk-very-secret" not in repr(vars(asking))
    with misbehaving(GOOD) as (url, server):
        monkeypatch.delenv("MY_KEY")
        engine(url, key_from="MY_KEY").ask([QUESTION])
        assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_no_question_can_be_answered_one_error_says_so_without_the_key(monkeypatch, status):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with (
        misbehaving((status, {}, "bad key sk-very-secret given")) as (url, server),
        pytest.raises(ConfigError, match=rf"HTTP {status}.*MY_KEY.*bad key \*\*\* given") as error,
    ):
        engine(url, key_from="MY_KEY", concurrency=1).ask([QUESTION] * 5)
    assert "sk-very-secret" not in str(error.value)
    assert len(server.bodies) < 5


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "file:///etc/passwd"}, {"base_url": "example.org"}, {"concurrency": 0}, {"attempts": 0},
     {"timeout": 0}, {"per_minute": 0}, {"temperature": -1}],
)  # fmt: skip
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ConfigError):
        OpenAIEngine("a-model", **wrong)
