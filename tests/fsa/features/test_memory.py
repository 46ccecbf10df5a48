import numpy as np
from numpy.testing import assert_array_equal

from fsa.features.memory import FeatureMemory


def keys(*numbers: int) -> np.ndarray:
    return np.array([[n] * 16 for n in numbers], np.uint8)


def rows(*numbers: float) -> np.ndarray:
    return np.array([[n, -n] for n in numbers], np.float32)


def test_what_was_kept_is_given_back_and_zeros_for_the_rest():
    memory = FeatureMemory(2, 10)
    memory.append(keys(1, 2), rows(0.1, 0.2))
    known, vectors = memory.get(keys(2, 3, 1))
    assert known.tolist() == [True, False, True]
    assert_array_equal(vectors, rows(0.2, 0, 0.1))


def test_those_not_asked_for_longest_go_first():
    memory = FeatureMemory(2, 2)
    memory.append(keys(1, 2), rows(1, 2))
    memory.get(keys(1))
    memory.append(keys(3), rows(3))
    assert memory.get(keys(1, 2, 3))[0].tolist() == [True, False, True]
    assert len(memory) == 2


def test_what_is_kept_is_no_view_of_what_was_handed_in():
    memory = FeatureMemory(2, 2)
    given = rows(1)
    memory.append(keys(1), given)
    given[:] = 7
    assert_array_equal(memory.get(keys(1))[1], rows(1))


def test_cleared_it_knows_nothing():
    memory = FeatureMemory(2, 2)
    memory.append(keys(1), rows(1))
    memory.clear()
    assert not memory.get(keys(1))[0].any()
    assert len(memory) == 0


def test_what_is_held_outlives_forgetting_and_what_is_asked_for_more_often():
    memory = FeatureMemory(2, 2)
    memory.append(keys(1, 2), rows(1, 2))
    memory.hold(keys(1, 9))
    memory.append(keys(3, 4), rows(3, 4))
    assert_array_equal(memory.get(keys(1, 2, 3, 9))[0], [True, False, True, False])
    assert len(memory) == 3
    memory.clear()
    known, vectors = memory.get(keys(1, 3))
    assert_array_equal(known, [True, False])
    assert_array_equal(vectors, rows(1, 0))
