import pytest

from fsa.choices.synthetic import Synthetic
from fsa.recipes.trials import Trials


def trials(num_users: int, path: str = "a/b/votes.jsonl.gz") -> Trials:
    table = Synthetic(num_users=num_users, choices_per_user=6).load()
    return Trials(table, {"init_args": {"path": path}}, [], [], 0, False)


def test_every_person_is_tested_in_one_fold_of_five():
    made = trials(50)
    tested = [made.by_people(0.2, fold * 0.2)(made.table).test.users.to_pylist() for fold in range(5)]
    assert sorted(name for fold in tested for name in fold) == sorted(made.table.users.to_pylist())


# A tenth of those who are not tested, but twelve, or a third of them.
@pytest.mark.parametrize(("num_users", "judges"), [(6, 2), (30, 8), (50, 12), (150, 12), (200, 16)])
def test_enough_people_are_validated_on_to_tell_help_from_chance(num_users, judges):
    made = trials(num_users)
    split = made.by_people(0.2)(made.table)
    assert split.validation.num_users == judges
    people = [name for part in (split.train, split.validation, split.test) for name in part.users.to_pylist()]
    assert len(set(people)) == len(people) == num_users


def test_texts_are_held_out_only_where_enough_is_left_to_predict():
    assert trials(50).by_people_and_prompts() is None  # all choices are of one prompt


def test_a_data_set_is_called_after_its_file():
    assert trials(4).name == "votes"
