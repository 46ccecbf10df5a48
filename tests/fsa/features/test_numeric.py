"""Numbers pass through, text does not."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fsa.errors import FeatureError
from fsa.features.numeric import Numeric

# A small one, for the family's contract.
EXAMPLES = {"Numeric": lambda backbones: Numeric(1)}


def test_numbers_pass_through() -> None:
    vectors = Numeric(width=2).extract(["", "ignored"], [(0.25, -3.0), (1, 2)])
    assert vectors.dtype == np.float32
    assert_array_equal(vectors, [[0.25, -3.0], [1.0, 2.0]])
    assert Numeric().extract([], []).shape == (0, 1)


def test_fingerprint_names_the_width() -> None:
    assert Numeric(1).fingerprint == Numeric(1).fingerprint != Numeric(2).fingerprint


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("text", "response 1 is text"),
        (({"role": "user", "content": "text"},), "response 1 is text"),
        ((0.1, 0.2), "has 2 numbers; features.width, the width, is 1"),
        ((), "has 0 numbers"),
        ((float("nan"),), "must be finite"),
    ],
)
def test_anything_else_is_refused_by_place(response: object, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        Numeric().extract(["", ""], [(0.5,), response])  # type: ignore[list-item]


def test_no_width_is_refused() -> None:
    with pytest.raises(FeatureError, match="width is 0"):
        Numeric(0)
