"""People in SQLite and in PostgreSQL: the same promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from fsa.serve.problems import Conflict, NotFound, Unprocessable
from fsa.serve.store.people import PeopleStore
from tests.fsa.serve.small import choices, pair

ANN, BOB = ("acme", "ann"), ("acme", "bob")


@pytest.fixture
def store(engine: Engine) -> PeopleStore:
    return PeopleStore(engine, max_choices=5)


def test_a_person_who_is_put_twice_is_there_once(store):
    first, is_new = store.put(ANN)
    second, is_new_again = store.put(ANN)
    assert (is_new, is_new_again) == (True, False)
    assert first == second
    assert store.get(ANN).num_choices == 0


def test_choices_come_back_as_they_came_and_in_order(store):
    record = {"prompt": "Tee? \U0001f375", "options": ["ja", "nein"], "chosen": 1}
    store.add_choices(ANN, [pair("b", "a"), record], "first")
    store.add_choices(ANN, choices(1), "second")
    assert [one.record for one in store.choices(ANN)] == [pair("b", "a"), record, *choices(1)]
    assert store.records([ANN, BOB]) == {ANN: [pair("b", "a"), record, *choices(1)], BOB: []}


def test_the_same_key_adds_once_and_refuses_other_choices(store):
    ids, is_new = store.add_choices(ANN, choices(2), "key")
    assert store.add_choices(ANN, choices(2), "key") == (ids, False)
    assert is_new
    with pytest.raises(Conflict, match="'key' was used for other choices"):
        store.add_choices(ANN, choices(1), "key")
    assert store.add_choices(BOB, choices(1), "key")[1]  # keys are a person's own
    assert store.get(ANN).num_choices == 2


def test_a_choice_taken_back_no_longer_counts_but_stays_in_the_list(store):
    [first, second], _ = store.add_choices(ANN, choices(2), "key")
    assert store.undo(ANN, first)
    assert not store.undo(ANN, first)
    assert store.records([ANN])[ANN] == choices(1, first=1)
    assert [one.undone is None for one in store.choices(ANN)] == [False, True]
    assert [one.id for one in store.choices(ANN)] == [first, second]
    store.put(BOB)
    with pytest.raises(NotFound, match="has no choice"):
        store.undo(BOB, second)


def test_every_change_gives_a_new_revision(store):
    seen = [store.put(ANN)[0].revision]
    [choice], _ = store.add_choices(ANN, choices(1), "key")
    seen.append(store.revisions([ANN])[ANN])
    store.undo(ANN, choice)
    seen.append(store.revisions([ANN])[ANN])
    store.erase(ANN)
    assert store.revisions([ANN, BOB]) == {}
    store.put(ANN)
    seen.append(store.revisions([ANN])[ANN])
    assert len(set(seen)) == 4


def test_erased_is_gone(store):
    store.add_choices(ANN, choices(3), "key")
    store.add_choices(BOB, choices(1), "key")
    assert store.erase(ANN) == 3
    for ask in (store.get, store.choices, store.erase):
        with pytest.raises(NotFound, match="no person 'ann'"):
            ask(ANN)
    assert len(store.choices(BOB)) == 1
    assert store.add_choices(ANN, choices(1), "key")[1]  # a new person, who has used no key


def test_tenants_do_not_see_each_other(store):
    store.add_choices(ANN, choices(1), "key")
    other = ("other", "ann")
    for ask in (store.get, store.choices, store.erase):
        with pytest.raises(NotFound):
            ask(other)
    assert store.revisions([other]) == {}
    assert store.records([other])[other] == []


def test_too_many_choices_are_refused_whole(store):
    store.add_choices(ANN, choices(4), "key")
    with pytest.raises(Unprocessable, match=r"may have 5 choices.*has 4, and 2 more came"):
        store.add_choices(ANN, choices(2, first=4), "more")
    assert len(store.choices(ANN)) == 4


def test_writers_at_once_lose_nothing_and_add_nothing_twice(engine):
    store = PeopleStore(engine)
    with ThreadPoolExecutor(8) as threads:
        # Forty requests, each sent twice.
        sent = [(choices(1, first=i), f"key-{i}") for i in range(40)] * 2
        added = list(threads.map(lambda each: store.add_choices(ANN, *each), sent))
    assert sum(is_new for _, is_new in added) == 40
    assert len({ids[0] for ids, _ in added}) == 40
    kept = [one.record["prompt"] for one in store.choices(ANN)]
    assert sorted(kept) == sorted(f"Question {i}?" for i in range(40))
