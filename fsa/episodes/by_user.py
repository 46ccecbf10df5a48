"""`choices_by_user`: every user's choices, for what has to know all users before training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from torch import Tensor

from fsa.choices.table import ChoiceTable
from fsa.episodes.dataset import collate_choices
from fsa.types import ChoiceBatch


def choices_by_user(
    table: ChoiceTable, features: Float[Tensor, "m d"], most: int = 1000, users_at_once: int = 32
) -> Iterator[ChoiceBatch]:
    """All users in order, each in one row of one batch.

    Args:
        table: The choices.
        features: One vector an item.
        most: Most choices of a user; of one with more, as many are taken at even distances.
        users_at_once: Users in a batch, to bound memory.
    """
    starts, counts = table.user_offsets[:-1], np.diff(table.user_offsets)
    for first in range(0, table.num_users, users_at_once):
        users = slice(first, first + users_at_once)
        count = counts[users, None]
        taken = np.minimum(count, most)
        place = np.arange(taken.max())
        rows = starts[users, None] + place * count // taken
        yield collate_choices(np.where(place < taken, rows, -1), table, features)
