"""OpenRLHF's remote reward model: always 200, always finite, and the person in `labels`."""

import json
import math

import pytest

from tests.fsa.serve.small import choices, text_rewards

PROMPT = "<|im_start|>user\nTea?<|im_end|>\n<|im_start|>assistant\n"
QUERY = PROMPT + "Yes, please.<|im_end|>\n"


@pytest.fixture
def client(serve):
    client = serve()
    client.post("/v1/people/ann/choices", json={"choices": choices(3)})
    return client


def ask(client, query=QUERY, prompt=PROMPT, label=""):
    body = {"query": [query], "prompts": [prompt], "labels": [label]}
    answer = client.post("/get_reward", json=body)
    assert answer.status_code == 200
    said = answer.json()
    assert all(map(math.isfinite, [*said["rewards"], *said["scores"]]))
    return said


@pytest.mark.parametrize(
    "label",
    [
        "ann",
        {"user": "ann"},
        '{"user": "ann"}',
        {"choices": choices(3)},
        json.dumps({"choices": choices(3)}),
    ],
)
def test_the_person_is_found_in_every_kind_of_label(client, label):
    wanted = text_rewards().for_user(choices(3)).score("Tea?", ["Yes, please."]).reward[0]
    said = ask(client, label=label)
    assert said["rewards"] == [pytest.approx(wanted, abs=1e-9)]
    assert said["scores"] == [pytest.approx(1 / (1 + math.exp(-wanted)))]
    assert said["extra_logs"] == {"unknown_person": [0.0], "bad_label": [0.0], "failed": [0.0]}


def test_the_template_makes_no_difference(client):
    plain = ask(client, "Tea?Yes, please.", "Tea?", "ann")
    assert plain["rewards"] == ask(client, label="ann")["rewards"]


def test_an_unknown_person_gets_everybodys_reward_and_that_is_said(client):
    unknown = text_rewards().for_user([]).score("Tea?", ["Yes, please."]).reward[0]
    said = ask(client, label="zoe")
    assert said["rewards"] == [pytest.approx(unknown, abs=1e-9)]
    assert said["extra_logs"]["unknown_person"] == [1.0]
    assert ask(client, label="")["extra_logs"]["unknown_person"] == [0.0]


BAD = [5, [1], {"user": 3}, {"choices": [{"bad": 1}]}, "{broken", {"choices": "x"}, "a\0b", "a b"]


@pytest.mark.parametrize("label", BAD)
def test_a_label_that_names_nobody_gets_everybodys_reward_and_that_is_said(client, label):
    said = ask(client, label=label)
    assert said["extra_logs"] == {"unknown_person": [0.0], "bad_label": [1.0], "failed": [0.0]}
    assert said["rewards"] == ask(client, label="")["rewards"]


@pytest.mark.parametrize("query", ["", " ", "\0", "a\x1eb", "\U0001f375" * 1000, PROMPT])
def test_any_text_has_a_finite_reward(client, query):
    ask(client, query, label="ann")


def test_several_queries_and_missing_lists(client):
    answer = client.post("/get_reward", json={"query": ["a", "b"], "labels": ["ann"]}).json()
    assert len(answer["rewards"]) == len(answer["scores"]) == 2
