"""What to ask a person next, by the model's own probabilities."""

from itertools import combinations

import numpy as np
import pytest

from fsa.errors import ShapeError
from fsa.outputs import reading
from fsa.questions.decision_gain import DecisionGain
from fsa.questions.information_gain import InformationGain
from fsa.questions.least_certain import LeastCertain
from fsa.questions.random_pair import RandomPair
from tests.factories.reward_models import choices_of, numbers, part, small_model

SPREAD = part("encoders.particles.Particles", particles=8, spread=True)


@pytest.fixture
def person():
    return small_model(encoder=SPREAD).for_user(choices_of(1, 2))


def test_all_pairs_of_responses_are_weighed_as_pairs_are(person):
    responses = numbers(5, 6)
    pairs = [("", a, b) for a, b in combinations(responses, 2)]
    one, other = person.next_question("", responses), person.next_question(pairs)
    assert one == other
    assert one.options in list(combinations(responses, 2))
    assert one.nats > 0


def test_the_chance_is_that_of_prefers(person):
    question = person.next_question("", numbers(6, 4))
    # 64 samples there, 256 places here.
    assert question.chance == pytest.approx(person.prefers("", *question.options), abs=0.05)


def test_no_other_pair_is_worth_more(person):
    pairs = [("", a, b) for a, b in combinations(numbers(7, 5), 2)]
    best = person.next_question(pairs, acquisition=InformationGain())
    alone = [person.next_question([pair], acquisition=InformationGain()).nats for pair in pairs]
    assert best.nats == pytest.approx(max(alone))
    assert best.index == int(np.argmax(alone))


def test_a_belief_without_doubt_asks_what_is_least_certain():
    person = small_model().for_user(choices_of(1, 2))
    responses = numbers(8, 5)
    question = person.next_question("", responses)
    assert "without doubt" in question.why
    doubts = [abs(person.prefers("", a, b) - 0.5) for a, b in combinations(responses, 2)]
    assert question.index == int(np.argmin(doubts))
    assert person.next_question("", responses, LeastCertain()).index == question.index


def test_another_acquisition_may_be_asked_for(person):
    question = person.next_question("", numbers(9, 9), acquisition=RandomPair(4))
    assert question.nats is None
    assert question == person.next_question("", numbers(9, 9), RandomPair(4))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("", [(0.0, 1.0)]), "needs two responses, came 1"),
        (([],), "came none"),
        (([("", (0.0, 1.0))],), r"pairs\[0\] must be a prompt and two responses"),
    ],
)
def test_what_cannot_be_asked_is_named(person, asked, words):
    with pytest.raises(ShapeError, match=words):
        person.next_question(*asked)


def test_several_questions_begin_with_the_next_one_and_none_comes_twice(person):
    responses = numbers(5, 5)
    found = person.next_questions(12, "", responses)
    assert found[0] == person.next_question("", responses)
    assert len({question.index for question in found}) == len(found) == 10  # all pairs of five
    with pytest.raises(ShapeError, match="1 or more"):
        person.next_questions(0, "", responses)


def test_a_response_that_is_in_many_pairs_is_scored_once(person, monkeypatch):
    seen = []
    vectors = reading.vectors
    monkeypatch.setattr(reading, "vectors", lambda m, prompts, r: (seen.extend(r), vectors(m, prompts, r))[1])
    person.next_question([("", a, b) for a, b in combinations(numbers(5, 6), 2)])
    assert len(seen) == 6


def test_the_decision_at_hand_is_which_of_the_responses_is_best(person):
    responses = numbers(5, 4)
    question = person.next_question("", responses, DecisionGain())
    assert "which response is best" in question.why
    assert question.worth <= person.next_question("", responses, InformationGain()).worth + 1e-12


def test_more_questions_are_expected_to_foretell_more(person):
    found = person.questions_until(0.99999, "", numbers(5, 4), most=4)
    assert found.questions is None
    assert len(found.accuracy) == 5
    assert found.accuracy[-1] > found.accuracy[0]
    assert person.questions_until(0.5, "", numbers(5, 4)).questions == 0
