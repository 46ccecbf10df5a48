"""Numbers for what is there many times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def number_within(user: NDArray[np.int32], value: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number distinct values from 0 within each user, without a loop over users."""
    order = np.lexsort((value, user))
    is_new_user = np.diff(user[order], prepend=-1) != 0
    is_new = is_new_user | (np.diff(value[order], prepend=-2) != 0)
    running = np.cumsum(is_new) - 1
    numbers = np.empty(len(user), np.int32)
    numbers[order] = running - np.maximum.accumulate(np.where(is_new_user, running, 0))
    return numbers
