"""How much a person likes which attribute of responses: `Likings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ShapeError
from fsa.features.measures import MEASURES, measure
from fsa.outputs.reading import items_of
from fsa.questions.atoms import atoms_of
from fsa.types import Numbers, Text, is_numbers

if TYPE_CHECKING:
    from fsa.outputs.person import Person

Levels = Mapping[str, Sequence[float]]
"""How much each response has of some attributes, by the attribute's name."""


@dataclass(frozen=True)
class Group:
    """Responses to one prompt, and how much of which attribute they have.

    Attributes:
        prompt: What is responded to.
        responses: One or more [k].
        levels: By attribute, one a response [k]; None for what can be measured: of texts
            `fsa.features.measures.MEASURES`, of numbers themselves.
    """

    prompt: Text
    responses: Sequence[Text | Numbers]
    levels: Levels | None = None


@dataclass(frozen=True)
class Liking:
    """How much a person likes an attribute of responses, beside the population.

    Attributes:
        attribute: Its name.
        person: Nats of reward that a standard deviation more of it comes with, in the person's rewards.
        population: The same in the rewards of an unknown person.
        low, high: Ends of the middle 90 % of what is believed of `person`, which they are for a point belief.
    """

    attribute: str
    person: float
    population: float
    low: float
    high: float

    @property
    def says(self) -> str:
        """The same in words."""
        name = _WORDS.get(self.attribute, self.attribute)
        if self.low > 0:
            return f"likes more {name}"
        if self.high < 0:
            return f"likes less {name}"
        return f"{name}: unclear"


@dataclass(frozen=True)
class Likings:
    """What a person likes, and where they are among kinds of people.

    Attributes:
        each: The person beside the population, by attribute [a].
        cloud: Likings at atoms of the belief, each as probable as the others [s, a].
        kinds: Likings in the middle of each kind of people, for an unknown person; none where beliefs are not
            mixtures [m, a].
        share: Probability of each kind for an unknown person [m].
        weight: The same for this person [m].
    """

    each: tuple[Liking, ...]
    cloud: Float[np.ndarray, "s a"]
    kinds: Float[np.ndarray, "m a"]
    share: Float[np.ndarray, " m"]
    weight: Float[np.ndarray, " m"]


@torch.no_grad()
def likings(person: Person, groups: Sequence[Group]) -> Likings:
    """Slopes of a person's rewards by attributes of responses, within prompts.

    Args:
        person: Whose.
        groups: Responses that show the attributes, in which a person's taste is read off.

    Raises:
        ShapeError: There is no response, or a group has other attributes than the first, or not one level a
            response.
    """
    names, apart = _apart(groups)
    stranger = person.model.for_user([])
    items = items_of(
        person.model,
        [group.prompt for group in groups for _ in group.responses],
        [response for group in groups for response in group.responses],
    )

    def at(latents: Float[Tensor, "s 1 z"], who: Person) -> Float[np.ndarray, "s a"]:
        rewards = person.model.scorer(items, latents, who.belief)[
            :, 0, 0, :, 0
        ]  # of several scores the first
        return rewards.cpu().double().numpy() @ apart / len(apart)

    cloud, unknown = (at(atoms_of(one.belief)[0], one) for one in (person, stranger))
    kinds, share, weight = np.zeros((0, len(names))), np.zeros(0), np.zeros(0)
    if person.belief.mixture is not None and stranger.belief.mixture is not None:
        kinds = at(stranger.belief.mixture.means.transpose(0, 1), stranger)
        share, weight = (
            mixture.log_weight[0].exp().cpu().numpy()
            for mixture in (stranger.belief.mixture, person.belief.mixture)
        )
    ends = np.quantile(cloud, [0.05, 0.95], axis=0)
    columns = zip(names, *np.stack([cloud.mean(0), unknown.mean(0), *ends]).tolist(), strict=True)
    return Likings(tuple(Liking(*one) for one in columns), cloud, kinds, share, weight)


def _apart(groups: Sequence[Group]) -> tuple[list[str], Float[np.ndarray, "k a"]]:
    """Names of the attributes, and how much more of each a response has than others to the same prompt, in
    standard deviations."""
    if not any(len(group.responses) for group in groups):
        raise ShapeError("likings are read off responses, came none")
    of_each = [_levels(group) for group in groups]
    names = list(of_each[0])
    if not names:
        raise ShapeError("levels must be of one attribute or more, came none")
    for number, (levels, group) in enumerate(zip(of_each, groups, strict=True)):
        if list(levels) != names or any(len(one) != len(group.responses) for one in levels.values()):
            raise ShapeError(
                f"groups[{number}]: levels must be of {', '.join(names)}, one a response, as those of the "
                f"first group; came {', '.join(levels)} of {[len(one) for one in levels.values()]} responses"
            )
    tables = [np.array(list(levels.values()), np.float64).reshape(len(names), -1).T for levels in of_each]
    with np.errstate(over="ignore", invalid="ignore"):  # said below, in words
        apart = np.concatenate([table - table.mean(0) for table in tables if len(table)])
    if not np.isfinite(apart).all():
        raise ShapeError("levels must be finite, and their sum as well")
    largest = np.abs(apart).max(0)
    apart /= np.where(largest == 0, 1, largest)  # squares of large levels would have no end
    return names, apart / np.maximum(apart.std(0), 1e-9)


def _levels(group: Group) -> Levels:
    if group.levels is not None:
        return group.levels
    numbers = [response for response in group.responses if is_numbers(response)]
    if numbers:
        if len({len(one) for one in numbers}) > 1:
            raise ShapeError("responses that are numbers must all have as many")
        return {f"number {place}": column for place, column in enumerate(zip(*numbers, strict=True), 1)}
    return dict(zip(MEASURES, measure(list(MEASURES), group.responses).T.tolist(), strict=True))


_WORDS = {
    "log_length": "length",
    "log_words": "words",
    "log_lines": "lines",
    "log_list_items": "list items",
    "word_length": "long words",
    "log_exclamations": "exclamation marks",
}
