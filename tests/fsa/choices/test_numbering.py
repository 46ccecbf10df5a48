import numpy as np

from fsa.choices.numbering import number_within


def test_values_are_numbered_from_zero_within_each_user():
    user = np.array([0, 0, 0, 1, 1], np.int32)
    assert number_within(user, np.array([7, 9, 7, 9, 7], np.int32)).tolist() == [0, 1, 0, 1, 0]
    assert number_within(user[:0], user[:0]).tolist() == []
