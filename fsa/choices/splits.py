"""`Splitter`: choices to train on, to validate with and to test on, by stable hash or as the records say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.seeding import stable_hash

NAMES = ("train", "validation", "test")
_TEST = NAMES.index("test")


@dataclass(frozen=True)
class Splits:
    """Three tables that share items and texts but no choice.

    Attributes:
        counts: Choices in each, and `dropped`: those that are in none.
    """

    train: ChoiceTable
    validation: ChoiceTable
    test: ChoiceTable
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Splitter:
    """Cuts a table in three: the hash of a prompt's text or a user's name alone says where it goes.

    Attributes:
        by: What no two splits share. "prompt" answers for new prompts of known users; "user" for new users of
            known prompts; "both" for new users of new prompts, and drops the choices of, say, a test user
            about a train prompt. "record" does as each choice's own split says, and cuts a validation split
            off train where the records name none.
        fractions: Expected fraction of prompts or users in train, validation and test; sum to 1.
        seed: Another seed gives another partition.
        validation_by: What the validation split that "record" cuts off train does not share with it.
        turn: Moves the cuts, 0-1, all the way round: with a test fraction of 1/5, turns of 0, 1/5 ... 4/5
            put every prompt or user in test once.
        balanced: Cut by the order of the hashes, so that each split has its very share of prompts or users;
            who goes where then depends on who else is there.
        unseen: Groups whose users go to test alone: what they say of other prompts, or what a record
            puts elsewhere, is dropped.
    """

    by: Literal["prompt", "user", "both", "record"] = "prompt"
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    validation_by: Literal["prompt", "user"] = "prompt"
    unseen: tuple[str, ...] = ()
    turn: float = 0.0
    balanced: bool = False

    def __post_init__(self) -> None:
        if len(self.fractions) != 3 or min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-9:
            raise ConfigError(f"fractions must be three numbers >= 0 that sum to 1, came {self.fractions}")
        if self.fractions[0] == 0:
            raise ConfigError("fractions must leave something to train on, came 0 for train")
        if not -(2**63) <= self.seed < 2**63:
            raise ConfigError(f"seed must be a whole number of 64 bits, came {self.seed}")
        if not 0 <= self.turn < 1:
            raise ConfigError(f"turn must be from 0 to below 1, came {self.turn}")

    def __call__(self, table: ChoiceTable) -> Splits:
        """The three splits.

        Raises:
            ChoiceDataError: A split that should hold something is empty, or a record names no or an unknown
                split under "record".
        """
        place = self._place(table)
        counts = np.bincount(place + 1, minlength=4)
        self._refuse_empty(table, counts[1:])
        named = dict(zip(("dropped", *NAMES), counts.tolist(), strict=True))
        train, validation, test = (table.select(place == i) for i in range(3))
        return Splits(train, validation, test, named)

    def _place(self, table: ChoiceTable) -> NDArray[np.int64]:
        """0, 1 or 2 for each choice's split, -1 for none [n]."""
        if self.by == "both":
            by_prompt, by_user = self._by_prompt(table), self._by_user(table)
            return np.where(by_prompt == by_user, by_prompt, -1)
        if self.by == "user":
            return self._by_user(table)
        place = self._as_recorded(table) if self.by == "record" else self._by_prompt(table)
        return np.where(self._is_unseen(table) & (place != _TEST), -1, place)

    def crossed(self, table: ChoiceTable, users: str, prompts: str) -> ChoiceTable:
        """Choices that "both" drops: of one split's users about another split's prompts.

        Raises:
            ConfigError: The split does not separate both.
        """
        if self.by != "both":
            raise ConfigError(f"users and prompts cross in a split by both, this one is by {self.by}")
        is_here = (self._by_user(table) == NAMES.index(users)) & (
            self._by_prompt(table) == NAMES.index(prompts)
        )
        return table.select(is_here)

    def _by_prompt(self, table: ChoiceTable) -> NDArray[np.int64]:
        return self._cut(_draw_prompts(table, self.seed))

    def _by_user(self, table: ChoiceTable) -> NDArray[np.int64]:
        return np.where(self._is_unseen(table), _TEST, self._cut(_draw_users(table, self.seed)))

    def _is_unseen(self, table: ChoiceTable) -> NDArray[np.bool_]:
        """Choices of users who have one in an unseen group [n]."""
        if not self.unseen:
            return np.zeros(len(table), np.bool_)
        names = table.groups.to_pylist()
        if unknown := [name for name in self.unseen if name not in names]:
            raise ConfigError(f"unseen names {', '.join(unknown)}; the groups are {', '.join(sorted(names))}")
        group = np.isin(table.group, [names.index(name) for name in self.unseen])
        return np.isin(table.user, np.unique(table.user[group]))

    def _cut(self, draw: NDArray[np.float64]) -> NDArray[np.int64]:
        train, validation, _ = self.fractions
        if self.balanced:
            values, where = np.unique(draw, return_inverse=True)
            draw = ((np.arange(len(values)) + 0.5) / len(values))[where]
        draw = (draw + self.turn) % 1
        return (draw >= train).astype(np.int64) + (draw >= train + validation)

    def _as_recorded(self, table: ChoiceTable) -> NDArray[np.int64]:
        names = [name.as_py() for name in table.splits]
        for number, name in enumerate(names):
            found = np.flatnonzero(table.split == number)
            if name not in NAMES and len(found):
                user = table.users[int(table.user[found[0]])].as_py()
                raise ChoiceDataError(
                    f"split must be one of {', '.join(NAMES)} to split by record, came {name!r} "
                    f"in {len(found)} choices, the first by user {user!r}"
                )
        place = np.array([NAMES.index(name) if name in NAMES else -1 for name in names])[table.split]
        if not (place == 1).any():
            draw = (_draw_prompts if self.validation_by == "prompt" else _draw_users)(table, self.seed)
            train, validation, _ = self.fractions
            place[(place == 0) & (draw >= train / (train + validation))] = 1
        return place

    def _refuse_empty(self, table: ChoiceTable, counts: NDArray[np.int64]) -> None:
        for name, count, fraction in zip(NAMES, counts, self.fractions, strict=True):
            if not count and fraction:
                num_prompts = len(np.unique(table.prompt))
                if self.by == "record":
                    raise ChoiceDataError(
                        f"{name} must hold choices, but no record's split is {name!r}; give some "
                        "records that split, split by prompt or user, or make its fraction 0"
                    )
                raise ChoiceDataError(
                    f"{name} must hold choices, came none of {len(table)} by {table.num_users} users about "
                    f"{num_prompts} prompts, splitting by {self.by}. Split by another unit (user for few "
                    f"prompts, prompt for few users), raise its fraction of {fraction}, or make it 0"
                )


def split(
    table: ChoiceTable,
    by: Literal["prompt", "user", "both", "record"] = "prompt",
    *,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> Splits:
    """The three splits of a table; see `Splitter`."""
    return Splitter(by, fractions, seed)(table)


def _draw_prompts(table: ChoiceTable, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each choice, equal for equal prompts."""
    numbers, where = np.unique(table.prompt, return_inverse=True)
    return _draws(table.texts.take(numbers).to_pylist(), seed)[where]


def _draw_users(table: ChoiceTable, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each choice, equal for one user's choices."""
    return _draws(table.users.to_pylist(), seed)[table.user]


def _draws(names: list[str], seed: int) -> NDArray[np.float64]:
    return np.array([(stable_hash(name, seed) >> 11) * 2.0**-53 for name in names])
