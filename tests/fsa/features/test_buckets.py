"""Every text is in one batch; a batch keeps to its size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from fsa.features.buckets import length_buckets, padded


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(1, 200))
def test_batches_cover_all_and_fit(lengths: list[int], batch_tokens: int) -> None:
    batches = length_buckets(lengths, batch_tokens)
    assert sorted(np.concatenate([[], *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or len(batch) * longest <= batch_tokens


def test_longest_first_and_padding_is_little() -> None:
    batches = length_buckets([1, 9, 2, 8, 1], batch_tokens=18)
    # 9 and 8 fill 2 x 9 = 18; then 2, 1, 1 fill 3 x 2 = 6.
    assert [batch.tolist() for batch in batches] == [[1, 3], [2, 0, 4]]


def test_padding_stands_right() -> None:
    tokens, mask = padded([np.array([5, 6, 7]), np.array([8])], pad_id=9)
    assert_array_equal(tokens, [[5, 6, 7], [8, 9, 9]])
    assert_array_equal(mask, [[1, 1, 1], [1, 0, 0]])


def test_rows_to_go_on_with_are_padded_left() -> None:
    ids, mask = padded([[5], [6, 7]], 0, "left")
    assert ids.tolist() == [[0, 5], [6, 7]]
    assert mask.tolist() == [[0, 1], [1, 1]]
