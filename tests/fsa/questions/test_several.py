"""Several questions at once."""

import math

import pytest
import torch

from fsa.questions.information_gain import InformationGain
from fsa.questions.several import best_questions

EVEN = torch.full((4,), 0.25, dtype=torch.float64)


def asked(first, pairs, count):
    return best_questions(pairs, torch.tensor(first, dtype=torch.float64), EVEN, InformationGain(), count)


def test_a_question_whose_answer_is_known_by_then_comes_last():
    """Pairs 0 and 1 ask the same of four kinds of people, pair 2 something else, a little noisily."""
    first = [[1.0, 0.99, 0.95], [1.0, 0.99, 0.05], [0.0, 0.01, 0.95], [0.0, 0.01, 0.05]]
    pairs = [("", "a", "b"), ("", "c", "d"), ("", "e", "f")]
    found = asked(first, pairs, 3)
    assert [question.index for question in found] == [0, 2, 1]
    assert found[0].worth == pytest.approx(math.log(2))
    assert found[2].worth == pytest.approx(0, abs=1e-9)  # alone it would be worth more than pair 2


def test_the_worths_add_up_to_what_all_answers_say_together():
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(4, 3, generator=generator, dtype=torch.float64)
    pairs = [("", str(i), "x") for i in range(3)]
    found = best_questions(pairs, first, EVEN, InformationGain(), 3)
    answers = torch.cartesian_prod(*[torch.arange(2)] * 3)  # [8, 3]
    each = torch.where(answers[:, None] == 0, first, 1 - first).prod(-1)  # [8, place]
    joint = each * EVEN
    apart = joint.sum(0) * joint.sum(1, keepdim=True)
    wanted = float((joint * (joint / apart).log()).sum())
    assert sum(question.worth for question in found) == pytest.approx(wanted)


def test_the_same_two_responses_are_asked_about_once():
    pairs = [("", "a", "b"), ("", "b", "a"), ("other", "a", "b"), ("", "a", "b")]
    found = asked([[0.9, 0.1, 0.8, 0.9], [0.1, 0.9, 0.2, 0.1]] * 2, pairs, 4)
    assert [question.index for question in found] == [0, 2]


def test_many_are_asked_of_a_belief_without_doubt_too():
    pairs = [("", str(i), "x") for i in range(8)]
    first = torch.linspace(0.5, 0.9, 8, dtype=torch.float64)[None]
    found = best_questions(pairs, first, torch.ones(1, dtype=torch.float64), InformationGain(), 8)
    assert [question.index for question in found] == list(range(8))
