"""Rewards over HTTP are those of the Python API."""

import json

import numpy as np
import pytest

from tests.factories.reward_models import small_model
from tests.fsa.serve.small import TEXTS, choices, spread_rewards


@pytest.fixture
def client(serve):
    client = serve(spread_rewards())
    client.post("/v1/people/ann/choices", json={"choices": choices(3)})
    return client


def test_stored_inline_and_unknown_people_score_as_the_library_says(client):
    rewards = spread_rewards()
    for given, person in (
        ({"user": "ann"}, rewards.for_user(choices(3))),
        ({"choices": choices(2)}, rewards.for_user(choices(2))),
        ({}, rewards.for_user([])),
    ):
        said = client.post("/v1/score", json={**given, "prompt": "Tea?", "responses": TEXTS}).json()
        scores = person.score("Tea?", TEXTS)
        np.testing.assert_allclose(said["reward"], scores.reward, atol=1e-12)
        np.testing.assert_allclose(said["stderr"], scores.stderr, atol=1e-12)
        assert sum(said["probability"]) == pytest.approx(1)
        assert np.argmin(said["rank"]) == np.argmax(said["reward"])


def test_the_probability_of_a_pair_is_that_of_prefers(client):
    said = client.post("/v1/score", json={"user": "ann", "prompt": "Tea?", "responses": TEXTS[:2]}).json()
    person = spread_rewards().for_user(choices(3))
    assert said["probability"][0] == pytest.approx(person.prefers("Tea?", *TEXTS[:2]), abs=1e-12)
    gap = said["reward"][0] - said["reward"][1]
    assert abs(said["probability"][0] - 1 / (1 + np.exp(-gap))) > 1e-3  # not of the mean rewards


def test_chats_and_equal_responses_are_scored(client):
    chat = [{"role": "user", "content": "Tea?"}]
    answer = [{"role": "assistant", "content": "Yes."}]
    said = client.post("/v1/score", json={"prompt": chat, "responses": ["Yes.", answer, ""]}).json()
    assert said["reward"][0] == pytest.approx(said["reward"][1])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"user": "zoe", "responses": ["a"]}, 404, "no person 'zoe'"),
        ({"user": "ann", "choices": [], "responses": ["a"]}, 422, "name two people"),
        ({"responses": []}, 422, "at least 1 item"),
        ({"responses": ["a"] * 257}, 422, "256 responses, came 257"),
        ({"responses": [[1.0, 2.0]]}, 422, "measures are of text"),
        ({"responses": ["a"], "propmt": "b"}, 422, "body.propmt"),
        ({"responses": ["a\ud800"]}, 422, "half a surrogate pair"),
        ({"responses": ["a"], "prompt": {"x": 1}}, 422, "must be a text"),
    ],
)
def test_what_is_wrong_is_said(client, body, status, words):
    # json= would write UTF-8, which has no half surrogate pairs; escapes may stand for them.
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/score", content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_numbers_too_large_for_the_model_are_a_problem_not_a_crash(serve):
    client = serve(small_model())
    answer = client.post("/v1/score", json={"responses": [[1e308, -1e308], [0, 0]]})
    assert answer.status_code == 422
    assert "not finite" in answer.json()["error"]["message"]
