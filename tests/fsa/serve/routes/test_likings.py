"""Likings over HTTP are the library's."""

import pytest

from fsa.outputs.likings import Group
from tests.factories.reward_models import taste_model
from tests.fsa.serve.small import TEXTS, choices, spread_rewards

NUMBERS = [[1, 1], [1, -1], [-1, 1], [-1, -1]]


@pytest.fixture
def client(serve):
    client = serve(spread_rewards())
    client.post("/v1/people/ann/choices", json={"choices": choices(2)})
    return client


def ask(client, *groups, person="ann"):
    return client.post(f"/v1/people/{person}/likings", json={"groups": list(groups)})


def test_likings_are_the_librarys(client):
    levels = {"warm": [1, 2, 3, 5], "long": [1, 0, 1, 0]}
    wanted = spread_rewards().for_user(choices(2)).likings([Group("Tea?", TEXTS, levels)])
    said = ask(client, {"prompt": "Tea?", "responses": TEXTS, "levels": levels}).json()
    assert said["num_choices"] == 2
    assert [one["attribute"] for one in said["likings"]] == ["warm", "long"]
    for one, each in zip(said["likings"], wanted.each, strict=True):
        assert one == pytest.approx({**vars(each), "says": each.says})
    assert said["cloud"] == [pytest.approx(row) for row in wanted.cloud.tolist()]
    assert said["kinds"] == {"likings": [], "share": [], "weight": []}
    measured = ask(client, {"prompt": "Tea?", "responses": TEXTS}).json()
    assert measured["likings"][0]["attribute"] == "log_length"


def test_kinds_of_people_have_their_share_and_the_persons_weight(serve):
    client = serve(taste_model())
    client.post("/v1/people/ann/choices", json={"choices": [{"options": NUMBERS[:2], "chosen": 0}]})
    said = ask(client, {"responses": NUMBERS}).json()["kinds"]
    assert len(said["likings"]) == len(said["share"]) == len(said["weight"]) == 4
    assert sum(said["share"]) == pytest.approx(1)
    assert sum(said["weight"]) == pytest.approx(1)
    assert said["share"] != pytest.approx(said["weight"])


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([], "at least 1"),
        ([{"responses": []}], "at least 1"),
        ([{"responses": TEXTS, "levels": {"a": [1]}}], "one a response"),
        ([{"responses": TEXTS, "levels": {}}], "levels must be of one attribute or more"),
        ([{"responses": [[1, 2], [3, 4]]}], "measures are of text"),
        ([{"responses": [[1], [3, 4]]}], "must all have as many"),
        ([{"responses": TEXTS[:2], "levels": {"a": [1.7e308, 1.7e308]}}], "must be finite"),
        ([{"responses": ["a"] * 300}], "may have 256 responses"),
    ],
)
def test_what_shows_no_likings_is_named(client, groups, words):
    answer = ask(client, *groups)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


def test_there_has_to_be_such_a_person(client):
    assert ask(client, {"responses": TEXTS}, person="bob").status_code == 404
