"""`crowd`: many people of each simulated taste, each of whom saw some of the prompts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.seeding import random_bits, stable_hash

_ASSIGN = 0  # what a random number is for


def crowd(
    table: ChoiceTable, people_per_user: int, prompts_per_person: int | None = None, *, seed: int = 0
) -> ChoiceTable:
    """Every user becomes several people who choose as that user does, about prompts of their own.

    Which prompts a person sees follows from (seed, person's name, prompt), so it does not move when people or
    prompts are added but by those that are.

    Args:
        table: Choices of the users who become people.
        people_per_user: How many people each user becomes, >= 1. They are called "NAME-0", "NAME-1" ...; one
            keeps the user's name.
        prompts_per_person: How many of the user's prompts each person sees, >= 1; None for all of them.
        seed: Of who sees what.

    Returns:
        Choices by person; groups as they were.

    Raises:
        ConfigError: A number is below 1.
    """
    if people_per_user < 1 or (prompts_per_person is not None and prompts_per_person < 1):
        came = f"{people_per_user} and {prompts_per_person}"
        raise ConfigError(f"people and prompts must be at least 1 each, came {came}")
    hashes = np.array([stable_hash(text) for text in table.texts.to_pylist()], np.uint64)
    names: list[str] = []
    rows = []
    for number, user in enumerate(table.users.to_pylist()):
        its = np.arange(*table.user_offsets[number : number + 2])
        for i in range(people_per_user):
            name = f"{user}-{i}" if people_per_user > 1 else user
            prompt = table.prompt[its]
            seen = its[_seen(prompt, hashes, prompts_per_person, seed, stable_hash(name))]
            rows.append(seen)
            names.append(name)
    offsets = np.concatenate([[0], np.cumsum([len(seen) for seen in rows])])
    users = pa.array(names, pa.large_string())
    return replace(table, users=users, user_offsets=offsets, **table.columns_at(np.concatenate(rows)))


def _seen(
    prompt: Int[np.ndarray, " n"], hashes: np.ndarray, limit: int | None, seed: int, who: int
) -> np.ndarray:
    """Where a person's prompts are among a user's choices [n], as a mask."""
    prompts = np.unique(prompt)
    if limit is None or len(prompts) <= limit:
        return np.ones(len(prompt), bool)
    key = random_bits(seed, _ASSIGN, np.uint64(who), hashes[prompts])
    return np.isin(prompt, prompts[np.argpartition(key, limit - 1)[:limit]])
