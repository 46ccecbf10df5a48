"""The pair to ask about, and why."""

import math

import pytest
import torch

from fsa.questions.information_gain import InformationGain
from fsa.questions.question import NO_DOUBT, best_question, pair_name

PAIRS = [("Tea?", "yes", "no"), ("Tea?", "black", "green"), ("Sleep?", "early", "late")]


def test_the_pair_that_says_most_is_asked_and_the_reason_given():
    # Everybody says yes; everybody is undecided on the colour; early birds and night owls differ.
    first = torch.tensor([[0.9, 0.5, 1.0], [0.9, 0.5, 0.0]], dtype=torch.float64)
    question = best_question(PAIRS, first, torch.tensor([0.5, 0.5]).double(), InformationGain())
    assert (question.prompt, question.options, question.index) == ("Sleep?", ("early", "late"), 2)
    assert question.nats == question.worth == pytest.approx(math.log(2))
    assert question.chance == pytest.approx(0.5)
    assert "0.693 nats" in question.why


def test_a_belief_without_doubt_gives_way_and_says_so():
    first = torch.tensor([[0.9, 0.6, 1.0]], dtype=torch.float64)
    question = best_question(PAIRS, first, torch.ones(1).double(), InformationGain())
    assert question.index == 1
    assert question.nats == 0
    assert question.why.startswith(NO_DOUBT)
    assert "60%" in question.why


def test_the_same_pair_has_one_name_whatever_it_is_of():
    chat = ({"role": "user", "content": "Hi"},)
    for first, second in (("a", "b"), ((0.1, 0.2), (0.3, 0.4)), ([0.1, 0.2], [0.3, 0.4]), (chat, "b")):
        assert pair_name("p", first, second) == pair_name("p", second, first)
        assert pair_name("p", first, second) != pair_name("q", first, second)
        assert pair_name("p", first, second) != pair_name("p", first, first)
