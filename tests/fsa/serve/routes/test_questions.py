"""The next question over HTTP is the library's."""

import pytest

from tests.fsa.serve.small import TEXTS, choices, spread_rewards, text_rewards


@pytest.fixture
def client(serve):
    client = serve(spread_rewards())
    client.post("/v1/people/ann/choices", json={"choices": choices(2)})
    return client


def ask(client, **body):
    return client.post("/v1/people/ann/next-question", json=body)


def test_the_question_is_the_librarys(client):
    person = spread_rewards().for_user(choices(2))
    wanted = person.next_question("Tea?", TEXTS)
    said = ask(client, prompt="Tea?", responses=TEXTS).json()
    assert said["options"] == list(wanted.options)
    assert said["nats"] == pytest.approx(wanted.nats)
    assert said["why"] == wanted.why
    pairs = [{"prompt": "Tea?", "options": TEXTS[:2]}, {"prompt": "Tea?", "options": TEXTS[2:]}]
    wanted = person.next_question([("Tea?", *TEXTS[:2]), ("Tea?", *TEXTS[2:])])
    assert ask(client, pairs=pairs).json()["options"] == list(wanted.options)
    assert ask(client, pairs=pairs, acquisition="random").json()["nats"] is None


def test_a_point_belief_says_why_it_asks_what_it_asks(serve):
    client = serve(text_rewards())
    client.put("/v1/people/ann")
    assert "without doubt" in ask(client, responses=TEXTS).json()["why"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "exactly one of them"),
        ({"responses": TEXTS, "pairs": [{"options": TEXTS[:2]}]}, "exactly one of them"),
        ({"responses": TEXTS[:1]}, "at least 2"),
        ({"pairs": [{"options": TEXTS}]}, "at most 2"),
        ({"responses": TEXTS, "acquisition": "guess"}, "information_gain"),
        ({"responses": [[1, 2], [3, 4]]}, "measures are of text"),
    ],
)
def test_what_cannot_be_asked_is_named(client, body, words):
    answer = ask(client, **body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
