import pytest

from eval.generations.people import choose, only_one_source
from fsa.choices.synthetic import Synthetic
from fsa.errors import ConfigError
from tests.factories.stand_in_policy import BOTH, TYPES


def test_no_choice_is_about_an_asked_prompt_and_none_to_predict_about_a_seen_one(field):
    assert len(field.subjects) == 16
    for person in field.subjects:
        seen = {choice.prompt for choice in person.choices}
        predicted = {choice.prompt for choice in person.others}
        assert not (seen | predicted) & set(field.prompts)
        assert not seen & predicted
        assert {choice.user for choice in (*person.choices, *person.others)} == {person.name}


def test_every_group_gives_equally_many_people_with_whole_contexts(field):
    assert field.groups == TYPES
    assert [sum(person.group == group for person in field.subjects) for group in TYPES] == [4] * 4
    assert field.shortened(8) == 0
    assert len(field.of("long").subjects) == 4


def test_a_field_depends_on_its_seed_alone(sandbox, field):
    table = BOTH(sandbox.load()).test
    assert choose(table, 4, 6, 8, 20, seed=1) == field
    assert choose(table, 4, 6, 8, 20, seed=2).prompts != field.prompts
    smaller = choose(table, 4, 6, 3, 20, seed=1)  # a smaller context is the beginning of a larger one
    assert [p.choices for p in smaller.subjects] == [p.choices[:3] for p in field.subjects]


@pytest.mark.parametrize("prompts", [0, 1000])
def test_prompts_that_leave_nothing_to_know_people_by_are_refused(sandbox, prompts):
    with pytest.raises(ConfigError, match=f"prompts is {prompts}, allowed are 1 to"):
        choose(BOTH(sandbox.load()).test, 4, prompts, 8, 20, seed=1)


def test_numbers_are_no_answers():
    with pytest.raises(ConfigError, match="options are numbers"):
        choose(Synthetic(num_users=10).load(), 4, 1, 8, 20, seed=1)


def test_runs_about_different_choices_are_not_compared():
    mine = {"source": 1, "splits": 2}
    only_one_source([mine, dict(mine)], ["a", "b"])
    with pytest.raises(ConfigError, match="b: its splits differs from that of a"):
        only_one_source([mine, {"source": 1, "splits": 3}], ["a", "b"])
