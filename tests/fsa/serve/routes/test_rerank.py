"""`/rerank` in the shape of Cohere's, with a person's probabilities."""

import numpy as np
import pytest

from tests.fsa.serve.small import TEXTS, choices, spread_rewards


@pytest.fixture
def client(serve):
    client = serve(spread_rewards())
    client.post("/v1/people/ann/choices", json={"choices": choices(3)})
    return client


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_candidates_come_best_first_with_probabilities_that_sum_to_one(client, path):
    body = {"model": "fsa", "user": "ann", "query": "Tea?", "documents": TEXTS}
    answer = client.post(path, json=body).json()
    rewards = spread_rewards().for_user(choices(3)).score("Tea?", TEXTS).reward
    assert [one["index"] for one in answer["results"]] == np.argsort(-rewards).tolist()
    shares = [one["relevance_score"] for one in answer["results"]]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    for one in answer["results"]:
        assert one["document"] == {"text": TEXTS[one["index"]]}
        assert one["reward"] == pytest.approx(rewards[one["index"]], abs=1e-12)
        assert one["low"] < one["reward"] < one["high"]


def test_the_person_may_be_in_user_in_model_or_inline(client):
    ask = {"query": "Tea?", "documents": TEXTS}
    ways = [{"user": "ann"}, {"model": "fsa/ann"}, {"choices": choices(3)}]
    answers = [client.post("/rerank", json={**ask, **way}).json()["results"] for way in ways]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0] != client.post("/rerank", json={**ask, "model": "fsa"}).json()["results"]
    assert client.post("/rerank", json={**ask, "model": "fsa/zoe"}).status_code == 404


def test_top_n_documents_as_objects_and_none_back(client):
    documents = [{"text": text, "id": i} for i, text in enumerate(TEXTS)]
    body = {"query": "Tea?", "documents": documents, "top_n": 2, "return_documents": False, "truncate": "END"}
    answer = client.post("/v2/rerank", json=body).json()
    assert len(answer["results"]) == 2
    assert all(one["document"] is None for one in answer["results"])
    whole = client.post("/rerank", json={"query": "Tea?", "documents": TEXTS, "top_n": 0}).json()
    assert answer["results"][0]["relevance_score"] == whole["results"][0]["relevance_score"]


def test_equal_documents_keep_their_order(client):
    answer = client.post("/rerank", json={"query": "Tea?", "documents": ["Yes."] * 3}).json()
    assert [one["index"] for one in answer["results"]] == [0, 1, 2]
    assert answer["results"][0]["relevance_score"] == pytest.approx(1 / 3)
