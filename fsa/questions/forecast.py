"""Expected number of questions until answers can be predicted well."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition
from fsa.questions.question import used


@dataclass(frozen=True)
class Forecast:
    """What questions are expected to bring.

    Attributes:
        questions: Fewest after which the wanted accuracy is expected; None where those looked at are too few.
        accuracy: Expected share of pairs, 0-1, whose answer would be predicted after 0, 1, 2, ... questions.
    """

    questions: int | None
    accuracy: tuple[float, ...]


def forecast(
    first: Float[Tensor, "s q"],
    weight: Float[Tensor, " s"],
    acquisition: Acquisition,
    wanted: float,
    most: int = 20,
    people: int = 32,
    seed: int = 0,
) -> Forecast:
    """Ask imagined people, drawn from the belief, and see how sure one would become of all pairs.

    Each is asked the best pair that is left, answers by their own probabilities, and the atoms are weighed
    anew by Bayes' rule. A person who answers at random at times can be predicted no better than that.

    Args:
        first: Probability that the first response of each pair is picked, at each atom of the belief.
        weight: Probability of each atom.
        acquisition: What makes a pair worth asking about.
        wanted: Accuracy, 0-1.
        most: Questions to look at, >= 0.
        people: Imagined people, >= 1.
        seed: Of who they are and what they answer.
    """
    draw = torch.Generator().manual_seed(seed)
    total = torch.zeros(min(most, first.shape[1]) + 1, dtype=torch.float64)
    for _ in range(people):
        who = int(torch.multinomial(weight, 1, generator=draw))
        total += _sureness(first, weight, acquisition, who, len(total), draw)
    accuracy = (total / people).tolist()
    reached = next((number for number, value in enumerate(accuracy) if value >= wanted), None)
    return Forecast(reached, tuple(accuracy))


def _sureness(
    first: Tensor, weight: Tensor, acquisition: Acquisition, who: int, count: int, draw: torch.Generator
) -> Float[Tensor, " n"]:
    """Expected accuracy over all pairs after each number of questions to one person."""
    believed, left, found = weight, torch.ones(first.shape[1], dtype=torch.bool), []
    for number in range(count):
        chance = believed @ first
        found.append(torch.maximum(chance, 1 - chance).mean())
        if number + 1 == count:
            break
        worth = torch.where(left, used(acquisition, believed).worth(first, believed), -torch.inf)
        asked = int(torch.argmax(worth))
        left[asked] = False
        picks_first = torch.rand((), generator=draw) < first[who, asked]
        likely = first[:, asked] if picks_first else 1 - first[:, asked]
        believed = believed * likely / (believed @ likely)
    return torch.stack(found).double()
