"""Keys, tenants and scopes: nobody sees another tenant's people, whatever is asked."""

import itertools

import pytest

from fsa.errors import ConfigError
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from fsa.serve.store.database import migrate
from tests.fsa.serve.small import TEXTS, choices, text_rewards

CHOICE = "0" * 32


@pytest.fixture
def client(serve, store_url):
    return serve(store=store_url, key_seconds=0.0)


def key_of(client, tenant="acme", scopes=("read", "write", "erase")) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.app.state.service.keys.add(tenant, scopes)}"}


def ways(person: str, choice: str):
    """Every way to reach a person, and the scope that it needs."""
    path, ask = f"/v1/people/{person}", {"query": "Tea?", "documents": TEXTS}
    return [
        ("read", "GET", path, None),
        ("read", "GET", f"{path}/choices", None),
        ("read", "GET", f"{path}/belief", None),
        ("read", "GET", f"{path}/export", None),
        ("read", "POST", f"{path}/next-question", {"prompt": "Tea?", "responses": TEXTS}),
        ("read", "POST", "/v1/score", {"user": person, "responses": TEXTS}),
        ("read", "POST", "/rerank", {**ask, "user": person}),
        ("read", "POST", "/v2/rerank", {**ask, "model": f"fsa/{person}"}),
        ("read", "POST", "/classify", {"input": "Yes.", "user": person}),
        ("read", "POST", "/v1/embeddings", {"input": "Yes.", "model": f"fsa/{person}"}),
        ("write", "DELETE", f"{path}/choices/{choice}", None),
        ("erase", "DELETE", path, None),
    ]


def test_a_server_without_keys_answers_and_once_there_was_one_wants_one(client):
    assert client.put("/v1/people/ann").status_code == 201
    headers = key_of(client)
    for given in ({}, {"Authorization": "Bearer fsa_x_y"}, {"Authorization": "Basic YTpi"}):
        answer = client.put("/v1/people/ann", headers=given)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert client.put("/v1/people/ann", headers=headers).status_code == 201  # of a tenant of its own
    keys = client.app.state.service.keys
    keys.revoke(keys.all()[0].id)
    assert client.put("/v1/people/ann", headers=headers).status_code == 401
    assert client.put("/v1/people/ann").status_code == 401
    assert client.get("/health").status_code == 200


def test_a_key_does_what_its_scopes_allow_and_nothing_else(client):
    everything = key_of(client)
    for scope, method, path, body in [
        *ways("ann", CHOICE),
        ("write", "PUT", "/v1/people/ann", None),
        ("write", "POST", "/v1/people/ann/choices", {"choices": choices(1)}),
        ("read", "POST", "/get_reward", {"query": ["a"]}),
        ("read", "POST", "/v1/judge", {"prompt": "a", "responses": ["a", "b"], "target": {"long": 1}}),
        ("read", "POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]}),
        ("read", "GET", "/v1/models", None),
    ]:
        client.post("/v1/people/ann/choices", json={"choices": choices(1)}, headers=everything)
        others = [one for one in ("read", "write", "erase") if one != scope]
        refused = client.request(method, path, json=body, headers=key_of(client, scopes=others))
        assert refused.status_code == 403, path
        assert f"this needs {scope}" in refused.json()["error"]["message"]
        allowed = client.request(method, path, json=body, headers=key_of(client, scopes=[scope]))
        assert allowed.status_code not in (401, 403), path


def test_five_hundred_attempts_across_tenants_reach_nothing(client):
    mine, theirs = key_of(client, "acme"), key_of(client, "other")
    held = {}
    for number in range(7):
        path = f"/v1/people/p{number}"
        sent = client.post(f"{path}/choices", json={"choices": choices(2, first=number)}, headers=mine)
        held[number] = (sent.json()["ids"], client.get(f"{path}/export", headers=mine).json())
    attempts = 0
    for number, repetition in itertools.product(range(7), range(6)):
        for _, method, path, body in ways(f"p{number}", held[number][0][repetition % 2]):
            answer = client.request(method, path, json=body, headers=theirs)
            assert answer.status_code == 404, (method, path)
            assert answer.json()["error"]["type"] == "not_found"
            attempts += 1
    assert attempts >= 500
    # A person of the same name is another person.
    client.put("/v1/people/p0", headers=theirs)
    assert client.get("/v1/people/p0/choices", headers=theirs).json() == {"choices": []}
    client.delete("/v1/people/p0", headers=theirs)
    for number, (_, export) in held.items():
        assert client.get(f"/v1/people/p{number}/export", headers=mine).json() == export


def test_a_revoked_key_is_forgotten_after_the_seconds_it_may_be_remembered(serve, monkeypatch):
    client = serve(key_seconds=5.0)
    clock = [100.0]
    monkeypatch.setattr("fsa.serve.access.time.monotonic", lambda: clock[0])
    headers = key_of(client)
    assert client.get("/v1/models", headers=headers).status_code == 200
    keys = client.app.state.service.keys
    keys.revoke(keys.all()[0].id)
    assert client.get("/v1/models", headers=headers).status_code == 200
    clock[0] += 5.1
    assert client.get("/v1/models", headers=headers).status_code == 401


def test_without_a_key_a_server_does_not_start_for_other_machines(tmp_path):
    settings = Settings("model", store=f"sqlite:///{tmp_path / 'p.db'}", host="0.0.0.0")
    service = Service(settings, text_rewards())
    migrate(service.engine)
    with pytest.raises(
        ConfigError, match=r"host is 0\.0\.0\.0, which other machines reach, and there is no key"
    ):
        service.check()
    service.keys.add("acme", ["read"])
    service.check()


def test_a_page_under_a_name_of_its_own_does_not_reach_an_open_server(client):
    assert client.get("/v1/models", headers={"Host": "evil.example"}).status_code == 400
    answer = client.get("/v1/models", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    sent = client.post("/v1/score", content=b'{"responses": ["a"]}', headers={"Content-Type": "text/plain"})
    assert sent.status_code == 415
