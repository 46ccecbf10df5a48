"""`Synthetic`: the two user types over one number, whose Bayes accuracy is known in closed form."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from fsa.choices.source import Source, Truth
from fsa.choices.splits import NAMES
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.seeding import uniform

TYPES = ("larger", "central")
_SURE = 100.0  # nats between one response and the next better one


class Synthetic(Source):
    """Users of two types choose between two numbers, uniform in [0, 1], without noise.

    "larger" prefers the larger number, "central" the one nearer to 1/2. Turning a pair (y, y') into
    (1 - y, 1 - y') swaps what "larger" picks and leaves what "central" picks, and is as likely a pair; so the
    types disagree on exactly half of all pairs. Given n choices, the Bayes choice on a new pair is

    - right, where the types agree (probability 1/2);
    - right, where they disagree and one of the n pairs has told the types apart (1/2 * (1 - 2^-n));
    - right half of the time, where they disagree and none has (1/2 * 2^-n),

    which makes its accuracy 1 - 2^-n / 4: 75, 87.5, 96.9, 99.2 and 99.98 % at 0, 1, 3, 5 and 10 choices.

    There is no prompt, and no number occurs twice except for twins. Records name their split, which twins
    share, so that no response is in two splits: split by "record".

    Args:
        num_users: Types alternate, starting with "larger", >= 1.
        choices_per_user: Pairs each user compares, >= 1.
        paired: Users 2i and 2i + 1 are twins: of either type, with the same pairs in the same order.
        fractions: Expected fractions of twins (or users) in train, validation and test; sum to 1.
        seed: Of numbers and splits.

    Reference:
        [Kobalczyk2024] Few-shot steerable alignment, the synthetic experiment.
    """

    def __init__(
        self,
        *,
        num_users: int = 2000,
        choices_per_user: int = 40,
        paired: bool = True,
        fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
        seed: int = 0,
    ) -> None:
        if num_users < 1 or choices_per_user < 1 or (paired and num_users % 2):
            raise ConfigError(
                "num_users and choices_per_user must be >= 1, and num_users even for twins, "
                f"came {num_users} and {choices_per_user}"
            )
        if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
            raise ConfigError(f"fractions must be three numbers >= 0 that sum to 1, came {fractions}")
        self.num_users = num_users
        self.choices_per_user = choices_per_user
        self.paired = paired
        self.fractions = fractions
        self.seed = seed

    def load(self) -> ChoiceTable:
        user = np.repeat(np.arange(self.num_users), self.choices_per_user)  # [n]
        # Twins read one row of numbers.
        player = np.arange(self.num_users) // (2 if self.paired else 1)
        numbers = _distinct_uniform((int(player[-1]) + 1) * self.choices_per_user * 2, self.seed)
        first = player[user] * self.choices_per_user + np.tile(
            np.arange(self.choices_per_user), self.num_users
        )
        option = 2 * first[:, None] + np.arange(2)  # [n, 2]
        utility = _utilities(numbers)[user % 2, option.T].T
        draw = uniform(self.seed, 1, player)
        bounds = np.cumsum(self.fractions)[:2]
        return ChoiceTable.from_columns(
            users=[f"{i:06d}" for i in range(self.num_users)],
            user=user.astype(np.int32),
            prompt=np.zeros(len(user), np.int32),
            num_options=np.full(len(user), 2),
            option=option.reshape(-1).astype(np.int32),
            place=(utility < utility[:, ::-1]).reshape(-1).astype(np.int16),
            texts=[""],
            item_prompt=np.zeros(len(numbers), np.int32),
            numbers=numbers[:, None],
            group=(user % 2).astype(np.int32),
            groups=list(TYPES),
            split=np.searchsorted(bounds, draw, side="right")[user].astype(np.int32),
            splits=list(NAMES),
        )

    def truth(self, table: ChoiceTable) -> Truth:
        """Both types, equally likely. Rewards are ranks, far enough apart for no errors."""
        rank = _utilities(table.numbers[:, 0]).argsort(1).argsort(1)
        return Truth(_SURE * rank, np.log([0.5, 0.5]))


def _utilities(numbers: Float[np.ndarray, " m"]) -> Float[np.ndarray, "2 m"]:
    """What each type makes of each number; larger is better."""
    return np.stack([numbers, -np.abs(numbers - 0.5)])


def _distinct_uniform(count: int, seed: int) -> NDArray[np.float64]:
    numbers = uniform(seed, 0, np.arange(count), 0)
    for attempt in itertools.count(1):
        again = np.setdiff1d(np.arange(count), np.unique(numbers, return_index=True)[1])  # stood before
        if not len(again):
            break
        numbers[again] = uniform(seed, 0, again, attempt)
    return numbers
