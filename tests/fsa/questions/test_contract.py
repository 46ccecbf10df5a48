"""What every acquisition function promises; members are found by walking the folder."""

import pytest
import torch
from torch.testing import assert_close

import fsa.questions
from fsa.questions.acquisition import Acquisition
from fsa.questions.question import best_question
from tests.factories.family import members

MEMBERS = members(fsa.questions, Acquisition)


def test_the_members_are_found():
    assert set(MEMBERS) >= {"DecisionGain", "InformationGain", "LeastCertain", "PredictiveGain", "RandomPair"}


@pytest.fixture(params=MEMBERS)
def acquisition(request) -> Acquisition:
    return MEMBERS[request.param]()


def doubts(places: int = 5, pairs: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    first = torch.rand(places, pairs, generator=generator, dtype=torch.float64)
    weight = torch.rand(places, generator=generator, dtype=torch.float64)
    return first, weight / weight.sum()


def test_worth_is_finite_never_negative_and_the_same_twice(acquisition):
    first, weight = doubts()
    first[:, 0], first[:, 1] = 0, 1
    worth = acquisition.worth(first, weight)
    assert worth.shape == (7,)
    assert worth.isfinite().all()
    assert (worth >= 0).all()
    assert_close(acquisition.worth(first, weight), worth)


def test_worth_does_not_depend_on_which_option_comes_first(acquisition):
    first, weight = doubts()
    assert_close(acquisition.worth(1 - first, weight), acquisition.worth(first, weight))


def test_worth_does_not_depend_on_how_an_atom_is_split(acquisition):
    first, weight = doubts()
    twice, half = torch.cat([first, first]), torch.cat([weight, weight]) / 2
    assert_close(acquisition.worth(twice, half), acquisition.worth(first, weight))


def test_a_question_is_asked_even_of_a_belief_without_doubt(acquisition):
    pairs = [("", str(i), "x") for i in range(7)]
    question = best_question(pairs, doubts()[0][:1], torch.ones(1, dtype=torch.float64), acquisition)
    assert question.options == (str(question.index), "x")
    assert question.why
