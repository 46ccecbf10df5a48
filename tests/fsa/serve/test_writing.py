"""Answers written together, and passed on as they grow."""

from pathlib import Path

import pytest
import torch

from fsa.outputs.policy import Policy
from fsa.serve.people import Asked, People
from fsa.serve.problems import NotFound
from fsa.serve.store.people import PeopleStore
from fsa.serve.writing import Sampling, ToWrite, Writer
from tests.factories.policies import make_policy
from tests.factories.reward_models import text, text_choices_of

GREEDY = Sampling(temperature=0)
PROMPTS = [text(7, 3), text(8, 9), text(9, 5)]


@pytest.fixture
def policy(llama: Path) -> Policy:
    return make_policy(llama)


@pytest.fixture
def writer(policy, engine) -> Writer:
    return Writer(policy, People(policy, PeopleStore(engine), kept=10))


def asked(person: int) -> Asked:
    return Asked("t", None, tuple(text_choices_of(person, 2 + person)))


def test_a_batch_of_mixed_people_and_lengths_answers_as_each_alone(writer, policy):
    items = [ToWrite(asked(i), prompt, 3 + 2 * i, GREEDY) for i, prompt in enumerate(PROMPTS)]
    for i, written in enumerate(writer.write(items)):
        person = policy.for_user(text_choices_of(i, 2 + i))
        assert [written.text] == person.generate([PROMPTS[i]], max_new_tokens=3 + 2 * i)
        assert written.num_tokens <= 3 + 2 * i
        assert written.num_prompt_tokens == policy.texts.prompts([PROMPTS[i]])[1].sum()


def test_the_pieces_of_an_answer_are_the_answer(writer):
    pieces: list[list[str]] = [[], [], []]
    items = [
        ToWrite(asked(i), prompt, 8, GREEDY, on_text=pieces[i].append) for i, prompt in enumerate(PROMPTS)
    ]
    written = writer.write(items)
    assert ["".join(each) for each in pieces] == [each.text for each in written]
    assert max(map(len, pieces)) > 2


def test_an_answer_ends_before_a_stop_text(writer):
    whole = writer.write([ToWrite(asked(0), PROMPTS[0], 12, GREEDY)])[0].text.split()
    stop = whole[4]
    pieces: list[str] = []
    item = ToWrite(asked(0), PROMPTS[0], 12, GREEDY, (f" {stop}",), pieces.append)
    [written] = writer.write([item])
    assert written.text == " ".join(whole[: whole.index(stop)]) == "".join(pieces)
    assert not written.is_cut


def test_whoever_is_not_there_keeps_nobody_waiting(writer):
    items = [ToWrite(Asked("t", "zoe"), "w1", 2, GREEDY), ToWrite(Asked("t"), "w1", 2, GREEDY)]
    nobody, somebody = writer.write(items)
    assert isinstance(nobody, NotFound)
    assert somebody.is_cut
    assert somebody.num_tokens == 2


def test_requests_that_draw_otherwise_are_written_apart(writer):
    torch.manual_seed(0)
    samplings = [GREEDY, Sampling(1.5), GREEDY, Sampling(1.5, 0.9)]
    written = writer.write([ToWrite(asked(0), PROMPTS[0], 8, one) for one in samplings])
    assert written[0].text == written[2].text
    assert len({one.text for one in written}) >= 2
