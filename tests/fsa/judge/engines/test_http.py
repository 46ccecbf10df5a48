"""One HTTP request: every outcome has a name."""

import socket

import pytest

from fsa.judge.engines.http import Answered, Failed, post_json
from tests.factories.judges import good_body, misbehaving


def outcome(behaviour, timeout=5.0):
    with misbehaving(behaviour) as (url, _):
        return post_json(url, {"a": 1}, {}, timeout)


@pytest.mark.parametrize("status", [200, 204, 400, 404, 418, 429, 500, 503])
def test_any_status_is_an_answer(status):
    assert outcome((status, {}, "" if status == 204 else "said")).status == status


def test_a_good_answer_comes_with_its_body():
    assert outcome("{}") == Answered(200, good_body("{}"))


def test_a_redirect_is_not_followed():
    assert outcome((307, {"Location": "http://127.0.0.1:1/"}, "")).status == 307


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [("<hang>", "time-out"), ("<close>", "no connection"), ("<cut>", "truncated body")],
)
def test_a_failure_is_named(behaviour, problem):
    assert outcome(behaviour, timeout=0.2 if behaviour == "<hang>" else 5) == Failed(problem)


def test_nobody_there_is_no_connection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # taken, but nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert post_json(url, {}, {}, 1.0) == Failed("no connection")


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("inf", 0.0), ("nan", 0.0), ("soon", 0.0)]
)
def test_only_a_number_of_seconds_is_a_wish_to_wait(header, seconds):
    assert outcome((429, {"Retry-After": header}, "")).retry_after == seconds
