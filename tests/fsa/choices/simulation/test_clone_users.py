"""Users become people: who chooses what, about which prompts."""

import numpy as np
import pytest

from fsa.choices.simulation.clone_users import crowd
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.types import Choice, Pick


def table(users=("a", "b"), num_prompts=30):
    return ChoiceTable.from_choices(
        Choice(user, f"p{i}", ("x", "y", "z")[: 2 + i % 2], Pick(i % 2), group=user)
        for user in users
        for i in range(num_prompts)
    )


def said(people):
    return [people.choice(i) for i in range(len(people))]


def test_one_person_who_sees_everything_is_the_user():
    assert said(crowd(table(), 1)) == said(table())


def test_people_choose_as_their_user_does_about_some_of_the_prompts():
    people = crowd(table(), 5, 7, seed=3)
    assert people.users.to_pylist() == [f"{user}-{i}" for user in "ab" for i in range(5)]
    assert np.diff(people.user_offsets).tolist() == [7] * 10
    original = {(c.user, c.prompt): c for c in said(table())}
    for choice in said(people):
        before = original[choice.user.split("-")[0], choice.prompt]
        assert (choice.options, choice.outcome, choice.group) == (
            before.options,
            before.outcome,
            before.group,
        )
    seen = {user: {c.prompt for c in said(people) if c.user == user} for user in people.users.to_pylist()}
    assert len(set(map(frozenset, seen.values()))) == 10  # C(30, 7) is two million


def test_nobody_moves_when_people_or_users_are_added():
    small, large = crowd(table(("a",)), 2, 7), crowd(table(), 4, 7)
    assert said(small) == [c for c in said(large) if c.user in ("a-0", "a-1")]
    assert said(small) != said(crowd(table(("a",)), 2, 7, seed=1))


def test_more_prompts_than_there_are_is_all_of_them():
    assert len(crowd(table(), 2, 100)) == 2 * len(table())


@pytest.mark.parametrize("numbers", [(0, None), (1, 0)])
def test_numbers_below_one_are_refused(numbers):
    with pytest.raises(ConfigError, match="must be at least 1 each"):
        crowd(table(), *numbers)
