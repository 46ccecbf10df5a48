"""Who is meant by a request, and which beliefs are kept."""

import pytest
from sqlalchemy import Engine

from fsa.serve.people import Asked, People
from fsa.serve.problems import NotFound
from fsa.serve.store.people import PeopleStore
from tests.fsa.serve.small import choices, text_rewards


class Counting:
    """A model that notes how many people it reads."""

    def __init__(self) -> None:
        self.model, self.read = text_rewards(), []

    def for_users(self, each):
        self.read.append(len(each))
        return self.model.for_users(each)


@pytest.fixture
def store(engine: Engine) -> PeopleStore:
    store = PeopleStore(engine)
    store.add_choices(("acme", "ann"), choices(3), "key")
    store.put(("acme", "bob"))
    return store


def means(people) -> list[list[float]]:
    return [person.belief.mean[0].tolist() for person in people]


def test_each_person_is_read_as_the_library_reads_them(store):
    model = text_rewards()
    found = People(model, store, kept=10).of(
        [Asked("acme", "ann"), Asked("acme"), Asked("acme", None, tuple(choices(2))), Asked("acme", "bob")]
    )
    assert means(found) == means(model.for_users([choices(3), [], choices(2), []]))


def test_a_belief_is_read_once_and_again_after_every_change(store):
    model = Counting()
    people = People(model, store, kept=10)
    ann = [Asked("acme", "ann")]
    first, again = people.of(ann), people.of(ann * 2)
    assert model.read == [1]
    assert again == first * 2
    [choice], _ = store.add_choices(("acme", "ann"), choices(1, first=9), "more")
    assert means(people.of(ann)) != means(first)
    store.undo(("acme", "ann"), choice)
    # Bit for bit as if the choice had never been made.
    assert means(people.of(ann)) == means(first)
    assert model.read == [1, 1, 1]


def test_who_is_not_there_is_an_answer_of_its_own(store):
    people = People(text_rewards(), store, kept=10)
    ann, nobody, foreign = people.of([Asked("acme", "ann"), Asked("acme", "zoe"), Asked("other", "ann")])
    assert ann.belief is not None
    assert isinstance(nobody, NotFound)
    assert isinstance(foreign, NotFound)


def test_an_erased_person_is_dropped_from_memory(store):
    people = People(text_rewards(), store, kept=10)
    people.of([Asked("acme", "ann")])
    store.erase(("acme", "ann"))  # by another process
    people.of([Asked("acme", "ann")])
    assert not people.forget(("acme", "ann"))


def test_choices_that_the_model_cannot_read_are_their_own_persons_trouble(store):
    numbers = {"options": [[1.0, 2.0], [3.0, 4.0]], "chosen": 0}
    store.add_choices(("acme", "eve"), [numbers], "key")  # stored for another model
    people = People(text_rewards(), store, kept=10)
    eve, ann = people.of([Asked("acme", "eve"), Asked("acme", "ann")])
    assert "measures are of text" in str(eve)
    assert means([ann]) == means(text_rewards().for_users([choices(3)]))


def test_memory_keeps_no_more_than_it_was_told(store):
    model = Counting()
    people = People(model, store, kept=2)
    several = [Asked("acme", None, tuple(choices(1, first=i))) for i in range(3)]
    for one in several:
        people.of([one])
    people.of([several[2]])
    people.of([several[0]])
    assert model.read == [1, 1, 1, 1]
