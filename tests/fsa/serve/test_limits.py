"""Bodies that are too large, too slow or no JSON."""

import asyncio
import json

import pytest

from fsa.serve.limits import Limits

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(serve):
    return serve(max_body_bytes=2000)


def test_the_largest_body_is_read_and_one_byte_more_is_not(client):
    body = json.dumps({"responses": ["a" * 1900]}).encode()
    fits = body + b" " * (2000 - len(body))
    assert client.post("/v1/score", content=fits, headers=JSON).status_code == 200
    answer = client.post("/v1/score", content=fits + b" ", headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "a body may have 2000 bytes"


def test_a_body_without_a_length_is_counted_as_it_comes(client):
    def pieces():
        for _ in range(300):
            yield b" " * 10

    answer = client.post("/v1/score", content=pieces(), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 1900,
        b'{"responses": [' + b"9" * 1900 + b"]}",
        b"null",
        b"[]",
        b'{"responses": [NaN]}',
        b'{"responses": [[Infinity, 1]]}',
        b'{"responses": [[1e999]]}',
        b'{"responses": ["\\ud800"]}',
        b'{"responses": ["a"], "prompt": {"\\ud800": "\\udfff"}}',
    ],
)
def test_what_is_no_request_is_refused_in_words(client, body):
    answer = client.post("/v1/score", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_a_body_that_does_not_end_is_hung_up_on():
    async def scenario():
        sent = []

        async def receive():
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"a", "more_body": True}

        async def send(message):
            sent.append(message)

        async def app(scope, receive, send):
            raise AssertionError("the application must not see it")

        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        await Limits(app, max_bytes=1000, seconds=0.1)(scope, receive, send)
        assert sent[0]["status"] == 408
        assert (b"connection", b"close") in sent[0]["headers"]

    asyncio.run(scenario())


def test_a_full_queue_answers_429_and_says_when_to_come_again(serve, monkeypatch):
    client = serve(max_queue=1)
    monkeypatch.setattr(client.app.state.service.scores, "_max_queue", 0)
    answer = client.post("/v1/score", json={"responses": ["a"]})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
