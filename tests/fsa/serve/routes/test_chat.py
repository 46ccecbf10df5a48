"""Chat completions as OpenAI's own client asks for them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai import NotFoundError, OpenAI

from tests.factories.policies import make_policy
from tests.factories.reward_models import text, text_choices_of

MESSAGES = [{"role": "user", "content": text(7, 3)}]


@pytest.fixture
def client(serve, llama: Path):
    client = serve(policy=make_policy(llama))
    client.post("/v1/people/ann/choices", json={"choices": text_choices_of(0, 3)})
    return client


@pytest.fixture
def openai(client) -> OpenAI:
    return OpenAI(base_url="http://testserver/v1", api_key="none", http_client=client, max_retries=0)


def ask(openai, model="fsa/ann", **options):
    given = {"model": model, "messages": MESSAGES, "temperature": 0, "max_tokens": 8, **options}
    return openai.chat.completions.create(**given)


def test_the_answer_is_the_persons_own(openai, llama):
    person = make_policy(llama).for_user(text_choices_of(0, 3))
    wanted = person.generate([MESSAGES], max_new_tokens=8)
    answer = ask(openai)
    assert [choice.message.content for choice in answer.choices] == wanted
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 8
    assert ask(openai, "fsa", user="ann").choices[0].message.content == wanted[0]
    assert ask(openai, "fsa").choices[0].message.content != wanted[0]


def test_a_stream_says_the_same_piece_by_piece(openai):
    whole = ask(openai)
    events = list(ask(openai, stream=True, stream_options={"include_usage": True}))
    deltas = [event.choices[0].delta.content or "" for event in events if event.choices]
    assert "".join(deltas) == whole.choices[0].message.content
    assert len(deltas) > 3
    assert [event.choices[0].finish_reason for event in events if event.choices][-1] == "length"
    assert events[-1].usage == whole.usage


def test_people_who_ask_at_once_get_what_each_gets_alone(client, openai):
    for person in range(1, 4):
        body = {"choices": text_choices_of(person, 3)}
        client.post(f"/v1/people/p{person}/choices", json=body)
    names = ["fsa/ann", "fsa/p1", "fsa/p2", "fsa/p3"] * 2
    alone = {name: ask(openai, name).choices[0].message.content for name in set(names)}
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda name: ask(openai, name).choices[0].message.content, names))
    assert together == [alone[name] for name in names]
    assert len(set(alone.values())) > 1


def test_several_answers_and_parts_of_messages(openai):
    parts = [{"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]}]
    answer = ask(openai, n=2, messages=parts)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.content == ask(openai).choices[0].message.content
    assert answer.usage.completion_tokens == 16


@pytest.mark.parametrize("stream", [False, True])
def test_a_person_who_is_not_there_is_404(openai, stream):
    with pytest.raises(NotFoundError, match="no person 'zoe'"):
        ask(openai, "fsa/zoe", stream=stream)


def test_without_a_policy_that_is_said(serve):
    answer = serve().post("/v1/chat/completions", json={"messages": MESSAGES})
    assert answer.status_code == 404
    assert "--policy RUN" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": []}, "at least 1 item"),
        ({"messages": [{"role": "user", "content": "  "}]}, "some content"),
        ({"messages": [{"role": "ghost", "content": "a"}]}, "'system', 'developer'"),
        ({"messages": MESSAGES, "stop": ["a"] * 5}, "up to 4 texts"),
        ({"messages": MESSAGES, "stream": True, "n": 2}, "n must be 1"),
        ({"messages": MESSAGES, "temperature": -1}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said(client, body, words):
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
