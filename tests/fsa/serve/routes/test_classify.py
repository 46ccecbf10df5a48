"""The shapes of vLLM and of SGLang, read as verl reads them."""

import base64
import math
import struct

import pytest
from openai import OpenAI

from tests.fsa.serve.small import choices, text_rewards

TEXT = "<|im_start|>user\nTea?<|im_end|>\n<|im_start|>assistant\nYes, please.<|im_end|>\n"


@pytest.fixture
def client(serve):
    client = serve()
    client.post("/v1/people/ann/choices", json={"choices": choices(3)})
    return client


@pytest.fixture
def wanted():
    return text_rewards().for_user(choices(3)).score("Tea?", ["Yes, please."]).reward[0]


def test_vllm_as_verl_asks_it(client, wanted):
    body = {"model": "fsa/ann", "input": TEXT, "use_activation": False}
    answer = client.post("/classify", json=body).json()
    assert answer["data"][-1]["probs"][-1] == pytest.approx(wanted, abs=1e-9)
    assert answer["data"][0]["num_classes"] == 1
    squashed = client.post("/classify", json={**body, "use_activation": True}).json()["data"][0]["probs"]
    assert squashed == [pytest.approx(1 / (1 + math.exp(-wanted)))]


def test_sglang_as_verl_asks_it(client, wanted):
    answer = client.post("/v1/embeddings", json={"model": "x", "input": TEXT, "user": "ann"}).json()
    assert answer["data"][-1]["embedding"][-1] == pytest.approx(wanted, abs=1e-9)


def test_a_chat_is_its_last_turn_given_those_before(client, wanted):
    messages = [{"role": "user", "content": "Tea?"}, {"role": "assistant", "content": "Yes, please."}]
    answer = client.post("/classify", json={"messages": messages, "user": "ann"}).json()
    assert answer["data"][0]["probs"] == [pytest.approx(wanted, abs=1e-9)]


def test_openais_own_client_reads_the_reward(client, wanted):
    # It asks for base64 unless told otherwise.
    openai = OpenAI(base_url="http://testserver/v1", api_key="none", http_client=client)
    [one] = openai.embeddings.create(model="fsa/ann", input=[TEXT]).data
    assert one.embedding[0] == pytest.approx(wanted, abs=1e-5)
    coded = client.post("/v1/embeddings", json={"input": TEXT, "user": "ann", "encoding_format": "base64"})
    [reward] = struct.unpack("<f", base64.b64decode(coded.json()["data"][0]["embedding"]))
    assert reward == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "exactly one of them"),
        ({"input": "a", "messages": [{"role": "user", "content": "a"}]}, "exactly one of them"),
        ({"input": []}, "at least one"),
        ({"messages": [{"role": "user", "content": "a"}]}, "ends with the assistant's"),
    ],
)
def test_what_is_wrong_is_said(client, body, words):
    answer = client.post("/classify", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
