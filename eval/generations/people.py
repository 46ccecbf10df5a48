"""`HeldOutPanel`: the held-out people and prompts that answers are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.seeding import uniform
from fsa.types import Choice, Numbers, Text

# What a random number is for; no sandbox uses these counters.
_PERSON, _PROMPT, _ORDER = 300, 301, 302


@dataclass(frozen=True)
class HeldOutUser:
    """One person asked for.

    Attributes:
        name: The user's name.
        number: The user's number in the table: what intervals resample.
        group: Their group.
        choices: What may be seen of them; nothing here is about a prompt that answers are asked to.
        others: Choices about further prompts, to predict.
    """

    name: str
    number: int
    group: str
    choices: tuple[Choice, ...]
    others: tuple[Choice, ...]

    def seen(self, size: int) -> list[Choice]:
        """Their first choices."""
        return list(self.choices[:size])

    def reversed(self, size: int) -> list[Choice]:
        """The same with every outcome turned round."""
        return [choice.reversed() for choice in self.choices[:size]]


@dataclass(frozen=True)
class HeldOutPanel:
    """Who is asked for, and what.

    Attributes:
        subjects: People, group by group, equally many of each where there are enough.
        prompts: Prompts, the same for all people.
        fixed_users: Every user is a group of their own: the claims are about them, not about a population.
    """

    subjects: tuple[HeldOutUser, ...]
    prompts: tuple[Text, ...]
    fixed_users: bool

    @property
    def groups(self) -> list[str]:
        """Groups in order."""
        return list(dict.fromkeys(subject.group for subject in self.subjects))

    def shortened(self, size: int) -> int:
        """People with fewer choices than asked for."""
        return sum(len(subject.choices) < size for subject in self.subjects)

    def of(self, group: str | None) -> HeldOutPanel:
        """The same for one group alone; for all people where None."""
        kept = tuple(subject for subject in self.subjects if group in (None, subject.group))
        return HeldOutPanel(kept, self.prompts, self.fixed_users)


def choose(
    table: ChoiceTable, people: int, prompts: int, max_context: int, max_others: int, seed: int
) -> HeldOutPanel:
    """Draw people of every group, and prompts that none of their choices here is about.

    Args:
        table: Held-out choices.
        people: Most people a group; those with the most choices left come first, among them by chance.
        prompts: Prompts.
        max_context: Choices to keep of each person.
        max_others: Most choices to predict of each person.
        seed: Seed of the draw.

    Raises:
        ConfigError: There are too few prompts, or the options are no text.
    """
    numbers = np.unique(table.prompt)
    if table.is_numeric:
        raise ConfigError("the options are numbers; there is no text to compare answers with")
    if not 1 <= prompts < len(numbers):
        raise ConfigError(
            f"prompts is {prompts}, allowed are 1 to {len(numbers) - 1}: there are {len(numbers)} different "
            "held-out prompts, and one at least is left to know people by"
        )
    asked = _shuffled(numbers, seed, _PROMPT)[:prompts]
    free = ~np.isin(table.prompt, asked)
    subjects = []
    for number in range(len(table.groups)):
        here = np.unique(table.user[table.group == number])
        enough = np.minimum(np.bincount(table.user[free], minlength=table.num_users)[here], max_context)
        order = np.lexsort((uniform(seed, _PERSON, here), -enough))
        subjects += [
            _subject(table, int(user), free, max_context, max_others, seed) for user in here[order][:people]
        ]
    fixed = table.num_users == len(np.unique(table.group))
    return HeldOutPanel(tuple(subjects), tuple(table.text(int(one)) for one in asked), fixed)


def best_and_worst(choice: Choice) -> tuple[Text | Numbers, Text | Numbers]:
    """The option that came first and one that came last."""
    places = choice.outcome.places(len(choice.options))
    return choice.options[places.index(min(places))], choice.options[places.index(max(places))]


def question_of(prompt: Text) -> str:
    """What was asked: a text, or the last message of a chat."""
    return prompt if isinstance(prompt, str) else prompt[-1]["content"]


def _subject(
    table: ChoiceTable, user: int, free: NDArray[np.bool_], max_context: int, max_others: int, seed: int
) -> HeldOutUser:
    first, last = (int(offset) for offset in table.user_offsets[user : user + 2])
    rows = np.arange(first, last)
    order = _shuffled(rows[free[first:last]], seed, _ORDER, user)
    context = order[:max_context]
    rest = order[max_context:]
    others = rest[~np.isin(table.prompt[rest], table.prompt[context])][:max_others]
    return HeldOutUser(
        name=table.users[user].as_py(),
        number=user,
        group=table.groups[int(table.group[first])].as_py(),
        choices=tuple(table.choice(int(row)) for row in context),
        others=tuple(table.choice(int(row)) for row in others),
    )


def _shuffled(numbers: NDArray[Any], seed: int, *counters: int) -> NDArray[Any]:
    return numbers[np.argsort(uniform(seed, *counters, numbers), kind="stable")]


def only_one_source(configs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Stop where runs are about different choices: their answers could not be compared.

    Raises:
        ConfigError: They are; names the first that differs.
    """
    for config, name in zip(configs, names, strict=True):
        for slot in ("source", "splits"):
            if config[slot] != configs[0][slot]:
                raise ConfigError(f"{name}: its {slot} differs from that of {names[0]}; compare them apart")
