import torch
from torch.testing import assert_close

from fsa.choices.table import ChoiceTable
from fsa.episodes.by_user import choices_by_user
from fsa.types import Choice, Pick


def table(counts: dict[str, int]) -> ChoiceTable:
    """Pairs of numbers that no other pair has."""
    values = iter(range(1000))
    return ChoiceTable.from_choices(
        Choice(user, "", ((float(next(values)),), (float(next(values)),)), Pick(i % 2))
        for user, count in counts.items()
        for i in range(count)
    )


def test_each_user_is_one_row_with_all_choices():
    made = table({"ann": 3, "bob": 1, "cat": 2})
    features = torch.from_numpy(made.numbers)
    batches = list(choices_by_user(made, features, users_at_once=2))
    assert [batch.rows.tolist() for batch in batches] == [[[0, 1, 2], [3, -1, -1]], [[4, 5]]]
    assert batches[0].places[0].tolist() == [[0, 1], [1, 0], [0, 1]]
    assert_close(batches[1].features[0, 0, :, 0], torch.tensor([8.0, 9.0], dtype=torch.float64))


def test_of_somebody_with_many_choices_some_are_taken_at_even_distances():
    made = table({"ann": 10, "bob": 2})
    (batch,) = choices_by_user(made, torch.from_numpy(made.numbers), most=4)
    assert batch.rows.tolist() == [[0, 2, 5, 7], [10, 11, -1, -1]]  # 0, 2.5, 5, 7.5 of ten
