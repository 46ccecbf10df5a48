"""`crowd`: many people of each simulated taste, each of whom saw some of the prompts."""

from __future__ import annotations

import numpy as np
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
    person, rows = [], []
    for number, user in enumerate(table.users.to_pylist()):
        its = np.arange(*table.user_offsets[number : number + 2])
        for i in range(people_per_user):
            name = f"{user}-{i}" if people_per_user > 1 else user
            prompt = table.prompt[its]
            seen = its[_seen(prompt, hashes, prompts_per_person, seed, stable_hash(name))]
            person.append(np.full(len(seen), len(names), np.int32))
            rows.append(seen)
            names.append(name)
    return _rows_of(table, names, np.concatenate(person), np.concatenate(rows))


def _seen(
    prompt: Int[np.ndarray, " n"], hashes: np.ndarray, limit: int | None, seed: int, who: int
) -> np.ndarray:
    """Where a person's prompts are among a user's choices [n], as a mask."""
    prompts = np.unique(prompt)
    if limit is None or len(prompts) <= limit:
        return np.ones(len(prompt), bool)
    key = random_bits(seed, _ASSIGN, np.uint64(who), hashes[prompts])
    return np.isin(prompt, prompts[np.argpartition(key, limit - 1)[:limit]])


def _rows_of(table: ChoiceTable, names: list[str], person: np.ndarray, rows: np.ndarray) -> ChoiceTable:
    """A table of some rows, with repeats, that belong to other users than before."""
    sizes = table.num_options[rows]
    ends = np.cumsum(sizes)
    options = np.repeat(table.option_offsets[rows] - (ends - sizes), sizes) + np.arange(sizes.sum())
    return ChoiceTable.from_columns(
        users=names,
        user=person,
        prompt=table.prompt[rows],
        num_options=sizes,
        option=table.option[options],
        place=table.place[options],
        texts=table.texts,
        item_prompt=table.item_prompt,
        item_response=table.item_response,
        numbers=table.numbers,
        group=table.group[rows],
        groups=table.groups.to_pylist(),
        split=table.split[rows],
        splits=table.splits.to_pylist(),
        counts=table.counts,
    )
