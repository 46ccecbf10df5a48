"""The short way of usual requests says what FastAPI's own way says."""

import json

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from fsa.serve.direct import Direct
from fsa.serve.routes import classify, openrlhf, rerank, score
from tests.fsa.serve.small import TEXTS, choices

JSON = {"Content-Type": "application/json"}
BODY = {"choices": choices(2), "prompt": "Tea?", "responses": TEXTS[:2]}


def asked_of(client: TestClient, content: bytes, headers: dict[str, str]):
    answer = client.post("/v1/score", content=content, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status_code, answer.content, kept


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (json.dumps(BODY).encode(), JSON, 200),
        (json.dumps(BODY).encode(), {"Content-Type": "application/JSON; charset=utf-8"}, 200),
        (json.dumps(BODY).encode("utf-16"), JSON, 200),
        (json.dumps(BODY).encode(), {"Content-Type": "application/merge-patch+json"}, 200),
        (json.dumps(BODY).encode(), {"Content-Type": "text/plain"}, 415),
        (json.dumps(BODY).encode(), {}, 415),
        (b"", JSON, 422),
        (b'{"responses": ["a"', JSON, 400),
        (b'{"responses": ["a"], "responses": ["b"]}', JSON, 200),
        (b'{"responses": ["\\ud800"]}', JSON, 422),
        (b'{"responses": ["a"], "more": 1}', JSON, 422),
        (b'{"responses": [NaN]}', JSON, 422),
        (b'{"responses": [[1e999]]}', JSON, 422),
        (b'{"responses": []}', JSON, 422),
        (b'{"responses": ["a"], "user": "ann"}', JSON, 404),
        (b'{"responses": ["a"], "user": "ann", "choices": []}', JSON, 422),
    ],
)
def test_status_body_and_headers_are_those_of_the_long_way(client, monkeypatch, content, headers, status):
    short = asked_of(client, content, headers)
    monkeypatch.setattr(Direct, "handle", APIRoute.handle)
    assert short == asked_of(client, content, headers)
    assert short[0] == status


def test_the_long_way_is_not_taken_by_a_usual_request(client, monkeypatch):
    async def refuse(*_):
        raise AssertionError("the long way")

    monkeypatch.setattr(APIRoute, "handle", refuse)
    assert client.post("/v1/score", json=BODY).status_code == 200
    assert client.post("/get_reward", json={"query": ["a"]}).status_code == 200


def test_another_method_is_refused(client):
    assert client.get("/v1/score").status_code == 405


@pytest.mark.parametrize("key", [None, "fsa_wrong"])
def test_a_key_is_wanted_on_the_short_way(serve, key):
    client = serve()
    client.app.state.service.keys.add("acme", ["read"])
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = client.post("/v1/score", json=BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_without_the_scope_is_refused_and_one_with_it_is_not(serve):
    client = serve()
    for scope, status in (("write", 403), ("read", 200)):
        key = client.app.state.service.keys.add("acme", [scope])
        answer = client.post("/v1/score", json=BODY, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status


def test_what_is_asked_often_goes_the_short_way():
    for module in (score, rerank, classify, openrlhf):
        assert all(isinstance(route, Direct) for route in module.router.routes)
