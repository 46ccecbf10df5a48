"""`HelpSteer2Tastes`: many people over HelpSteer2's responses, each with weights of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pyarrow as pa

from fsa.choices.helpsteer2 import ATTRIBUTES, HelpSteer2
from fsa.choices.simulation.clone_users import crowd
from fsa.choices.simulation.tastes import on_sphere, strongest_pole
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError

_WEIGHTS = 200  # what a random number is for


class HelpSteer2Tastes(HelpSteer2):
    """Users who weigh the five ratings each in their own way, and compare responses to some prompts.

    Weights are N(0, 1) for each rating, scaled to length 1; choices follow them without noise. A person's
    group is the rating that they weigh most, with its sign: "+verbosity" wants more of it. Each person
    answers prompts of their own; a pair rated alike on all five is a tie for all users, and left out.

    Args:
        path: As in `HelpSteer2`.
        num_users: People, >= 1.
        choices_per_user: Prompts that each of them answers at most, >= 1.
        arrangement: As in `HelpSteer2`.
        seed: Of tastes, of who answers what, and of the order of two responses.

    Raises:
        ConfigError: A number is below 1.
    """

    def __init__(
        self,
        path: str = "nvidia/HelpSteer2",
        *,
        num_users: int = 400,
        choices_per_user: int = 200,
        arrangement: Literal["upstream", "steerable"] = "upstream",
        seed: int = 0,
    ) -> None:
        if num_users < 1 or choices_per_user < 1:
            raise ConfigError(
                "num_users and choices_per_user must be at least 1 each, came "
                f"{num_users} and {choices_per_user}"
            )
        self.choices_per_user = choices_per_user
        self.weights = on_sphere(num_users, seed, _WEIGHTS, len(ATTRIBUTES))  # [u, a]
        users = {
            f"user-{number}": dict(zip(ATTRIBUTES, weights.tolist(), strict=True))
            for number, weights in enumerate(self.weights)
        }
        super().__init__(path, arrangement=arrangement, users=users, seed=seed)

    def load(self) -> ChoiceTable:
        """All users' choices, grouped by what they weigh most."""
        table = crowd(super().load(), 1, self.choices_per_user, seed=self.seed)
        number = np.array([int(name.removeprefix("user-")) for name in table.users.to_pylist()])
        group = strongest_pole(self.weights)[number][table.user].astype(np.int32)
        names = [f"{sign}{name}" for name in ATTRIBUTES for sign in "+-"]
        return replace(table, group=group, groups=pa.array(names, pa.large_string()))
