"""Logs say what was done, never a text, a choice, a key or a name."""

import io
import json
import logging

import pytest

from fsa.serve.telemetry import LOG, JsonLines
from tests.fsa.serve.small import pair

SECRETS = ["peppermint", "elderflower", "zanzibar", "ann-doe", "Bearer", "fsa_"]


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = LOG.level
    LOG.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    LOG.setLevel(level)


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_a_line_of_json_by_route(serve, log):
    client = serve()
    headers = {"Authorization": "Bearer " + client.app.state.service.keys.add("acme", ["read", "write"])}
    client.put("/v1/people/ann-doe", headers=headers)
    client.post("/v1/score", json={"user": "ann-doe", "responses": ["peppermint"]}, headers=headers)
    client.post(
        "/v1/people/ann-doe/choices", json={"choices": [pair("elderflower", "zanzibar")]}, headers=headers
    )
    client.post(
        "/v1/score",
        json={"user": 5, "prompt": "peppermint", "responses": [{"elderflower": 1}]},
        headers=headers,
    )
    client.get("/v1/people/ann-doe/nothing", headers=headers)
    said = [line for line in lines(log) if line["event"] == "answered"]
    assert [line["status"] for line in said] == [201, 200, 201, 422, 404]
    assert said[0]["route"] == "/v1/people/{person}"
    assert {line["tenant"] for line in said[:3]} == {"acme"}
    assert all(line["ms"] >= 0 for line in said)
    assert not [word for word in SECRETS if word in log.getvalue()]


def test_a_failure_is_logged_by_kind_and_place_and_answered_500(serve, log, monkeypatch):
    client = serve()

    def fail(*_):
        raise RuntimeError("peppermint")

    monkeypatch.setattr(client.app.state.service.store, "get", fail)
    answer = client.get("/v1/people/ann-doe")
    assert answer.status_code == 500
    [failed] = [line for line in lines(log) if line["event"] == "failed"]
    assert failed["error"] == "RuntimeError"
    assert failed["at"][-1].startswith("test_telemetry.py:")
    assert failed["request"] in answer.json()["error"]["message"]
    assert answer.headers["x-request-id"] == failed["request"]
    assert not [word for word in SECRETS if word in log.getvalue() + answer.text]


def test_an_exception_of_another_logger_keeps_its_words_to_itself(log, monkeypatch):
    # A server that another test started in this process keeps uvicorn's records from the root.
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
    try:
        raise ValueError("peppermint")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application: %s", "peppermint")
    [line] = [line for line in lines(log) if line["logger"] == "uvicorn.error"]
    assert line["error"] == "ValueError"
    assert "peppermint" not in log.getvalue()
