"""A person that changes, is kept, and is what it would have been had it been read so from the start."""

import pickle
from itertools import permutations

import numpy as np
import pytest
import torch

from fsa.errors import ChoiceDataError, ShapeError
from fsa.outputs.person import Person
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import choices_of, numbers, part, small_model, taste_model

MODELS = {
    "mixture": taste_model,
    "point": small_model,
    "gaussian": lambda: small_model(encoder=part("encoders.particles.Particles", particles=8, spread=True)),
    "attention": lambda: small_model(encoder=part("encoders.self_attention.SelfAttention")),
    "memory": lambda: small_model(
        encoder=part("encoders.verbatim.Verbatim"), scorer=part("models.own_logistic.OwnLogistic")
    ),
}


@pytest.fixture(params=MODELS, scope="module")
def model(request) -> RewardModel:
    return MODELS[request.param]()


def same(one: Person, other: Person) -> bool:
    """Whether two people score alike to the last digit."""
    said = [person.score("", numbers(7, 5)) for person in (one, other)]
    return (
        np.array_equal(said[0].reward, said[1].reward)
        and (said[0].stderr is None) == (said[1].stderr is None)
        and (said[0].stderr is None or np.array_equal(said[0].stderr, said[1].stderr))
        and torch.equal(one.belief.mean, other.belief.mean)
    )


def test_a_ranking_is_the_rewards_from_the_highest_down():
    person, candidates = taste_model().for_user(choices_of(1, 4)), numbers(7, 5)
    rewards = person.score("", candidates).reward
    ranked = person.rank("", candidates)
    assert [each["score"] for each in ranked] == sorted(rewards, reverse=True)
    assert [rewards[each["corpus_id"]] for each in ranked] == [each["score"] for each in ranked]
    assert all(each["text"] is candidates[each["corpus_id"]] for each in ranked)
    best = {key: ranked[0][key] for key in ("corpus_id", "score")}
    assert person.rank("", candidates, top_k=1, return_documents=False) == [best]


def test_equal_candidates_keep_their_order_in_a_ranking():
    person, (one,) = taste_model().for_user(choices_of(1, 4)), numbers(7, 1)
    assert [each["corpus_id"] for each in person.rank("", [one] * 3)] == [0, 1, 2]


def test_a_ranking_of_none_is_refused():
    with pytest.raises(ShapeError, match="top_k must be 1 or more, came 0"):
        taste_model().for_user([]).rank("", numbers(7, 2), top_k=0)


def test_in_any_order_it_is_the_same_person(model):
    choices = choices_of(1, 4)
    first = model.for_user(choices)
    assert all(same(first, model.for_user(list(order))) for order in permutations(choices))


def test_updated_it_is_who_was_read_so_from_the_start(model):
    choices = choices_of(1, 5)
    person = model.for_user(choices[:2])
    for choice in choices[2:]:
        person = person.update(choice)
    assert same(person, model.for_user(choices))
    assert same(model.for_user([]).update(choices), person)


def test_forgetting_is_as_if_it_had_never_been(model):
    choices = choices_of(1, 4)
    person = model.for_user(choices).forget(choices[1])
    assert same(person, model.for_user([choices[0], *choices[2:]]))
    assert same(person.forget("all"), model.for_user([]))


def test_a_half_life_stays_with_the_person_and_order_counts_then():
    model, choices = taste_model(), choices_of(1, 4)
    person = model.for_user(choices[:3], half_life=2.0).update(choices[3])
    assert same(person, model.for_user(choices, half_life=2.0))
    assert not same(person, model.for_user(choices[::-1], half_life=2.0))
    assert same(person.forget(choices[3]), model.for_user(choices[:3], half_life=2.0))


def test_what_cannot_be_forgotten_or_changed_is_said():
    person = taste_model().for_user(choices_of(1, 2))
    with pytest.raises(ChoiceDataError, match="no such choice to forget"):
        person.forget(choices_of(2, 1)[0])
    with pytest.raises(ChoiceDataError, match='a choice or "all"'):
        person.forget("everything")
    with pytest.raises(ChoiceDataError, match="were not kept"):
        Person(person.model, person.belief).update(choices_of(1, 1))


def test_it_is_one_line_that_counts_the_choices():
    person = taste_model().for_user(choices_of(1, 2))
    assert repr(person).startswith("Person(2 choices, belief of 3 numbers, read by ")
    assert "\n" not in repr(person)


def test_pickled_it_is_the_same_person(tmp_path):
    taste_model().save_pretrained(tmp_path / "model")
    model = RewardModel.from_pretrained(tmp_path / "model")
    choices = choices_of(1, 4)
    again = pickle.loads(pickle.dumps(model.for_user(choices[:3], half_life=3.0)))
    assert same(again, model.for_user(choices[:3], half_life=3.0))
    assert same(again.update(choices[3]), model.for_user(choices, half_life=3.0))
