"""The routes of people, over both kinds of database."""

import pytest

from fsa.serve.people import choices_hash
from tests.fsa.serve.small import choices, pair, spread_rewards, text_rewards


@pytest.fixture
def client(serve, store_url):
    return serve(spread_rewards(), store=store_url)


def add(client, person, records, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/v1/people/{person}/choices", json={"choices": records}, headers=headers)


def test_a_person_is_made_found_and_erased(client):
    assert client.get("/v1/people/ann").status_code == 404
    assert client.put("/v1/people/ann").status_code == 201
    assert client.put("/v1/people/ann").status_code == 200
    assert add(client, "ann", choices(2)).status_code == 201
    assert client.get("/v1/people/ann").json()["num_choices"] == 2
    client.get("/v1/people/ann/belief")
    erased = {"id": "ann", "choices": 2, "beliefs": 1, "adapters": 0}
    assert client.delete("/v1/people/ann").json() == erased
    for path in ("", "/choices", "/belief", "/export"):
        answer = client.get(f"/v1/people/ann{path}")
        assert answer.status_code == 404
        assert answer.json()["error"] == {"message": "there is no person 'ann'", "type": "not_found"}


def test_adding_twice_under_one_key_adds_once(client):
    first, second = add(client, "ann", choices(2), "k1"), add(client, "ann", choices(2), "k1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["ids"] == second.json()["ids"]
    assert (first.json()["added"], second.json()["added"]) == (2, 0)
    assert add(client, "ann", choices(1), "k1").status_code == 409
    assert len(client.get("/v1/people/ann/choices").json()["choices"]) == 2


def test_the_belief_is_the_librarys_and_undoing_restores_it_bit_for_bit(client):
    add(client, "ann", choices(3))
    before = client.get("/v1/people/ann/belief").json()
    belief = spread_rewards().for_user(choices(3)).belief
    assert before["mean"] == belief.mean[0].tolist()
    assert before["std"] == belief.std[0].tolist()
    assert (before["num_choices"], before["choices"]) == (3, choices_hash(choices(3)))
    [choice] = add(client, "ann", choices(1, first=7)).json()["ids"]
    assert client.get("/v1/people/ann/belief").json() != before
    assert client.delete(f"/v1/people/ann/choices/{choice}").json() == {"id": choice, "undone": True}
    assert client.delete(f"/v1/people/ann/choices/{choice}").json() == {"id": choice, "undone": False}
    assert client.get("/v1/people/ann/belief").json() == before


def test_the_export_holds_everything(client):
    record = pair("Ja \U0001f375", "Nein")
    [choice] = add(client, "ann", [{**record, "user": "someone else"}]).json()["ids"]
    client.delete(f"/v1/people/ann/choices/{choice}")
    held = client.get("/v1/people/ann/export").json()
    assert held["person"]["num_choices"] == 0
    assert [(one["id"], one["record"]) for one in held["choices"]] == [(choice, record)]
    assert held["choices"][0]["undone"] is not None
    assert held["belief"]["num_choices"] == 0


def test_a_bad_record_adds_nothing_and_is_named(client):
    answer = add(client, "ann", [pair("a", "b"), pair("a", "a")])
    assert answer.status_code == 422
    assert "choices[1]: rejected must be different from chosen" in answer.json()["error"]["message"]
    assert client.get("/v1/people/ann").status_code == 404


def test_choices_that_the_model_cannot_read_are_refused(client):
    answer = add(client, "ann", [{"options": [[1, 2], [3, 4]], "chosen": 0}])
    assert answer.status_code == 422
    assert "measures are of text" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["a%20b", "a%00b", "%F0%9F%8D%B5", "a" * 201])
def test_names_that_are_no_ids_are_refused(client, name):
    assert client.put(f"/v1/people/{name}").status_code == 422


@pytest.mark.parametrize("name", ["auth0|5f7c8e", "ann@example.org", "9b2e-4a", "x+y:z"])
def test_usual_ids_are_taken(client, name):
    assert client.put(f"/v1/people/{name}").json()["id"] == name


def test_text_rewards_of_a_point_belief_have_a_belief_without_spread(serve, store_url):
    served = serve(text_rewards(), store=store_url)
    add(served, "ann", choices(1))
    assert set(served.get("/v1/people/ann/belief").json()["std"]) == {0.0}
