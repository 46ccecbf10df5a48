"""What to ask a person next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ShapeError
from fsa.outputs.reading import items_of
from fsa.questions.acquisition import Acquisition
from fsa.questions.atoms import atoms_of
from fsa.questions.forecast import Forecast, forecast
from fsa.questions.question import Pair, Question, name_of
from fsa.questions.several import best_questions
from fsa.types import Numbers, Text

if TYPE_CHECKING:
    from fsa.outputs.person import Person

_AT_ONCE = 512  # pairs, so that what is computed of them stays near the processor


@dataclass(frozen=True)
class Asked:
    """Pairs that a person could be asked about.

    Attributes:
        pairs: The pairs [q].
        first: Probability that the first response of each is picked, at each atom of the belief.
        weight: Probability of each atom.
        acquisition: What an answer is worth, told of the decision at hand where there is one.
    """

    pairs: Sequence[Pair]
    first: Float[Tensor, "s q"]
    weight: Float[Tensor, " s"]
    acquisition: Acquisition

    def questions(self, count: int) -> list[Question]:
        """The best questions, none twice; see `best_questions`."""
        return best_questions(self.pairs, self.first, self.weight, self.acquisition, count)

    def forecast(self, accuracy: float, most: int) -> Forecast:
        """What asking is expected to bring; see `fsa.questions.forecast.forecast`."""
        return forecast(self.first, self.weight, self.acquisition, accuracy, most)


def asked(
    person: Person,
    asked: Text | Sequence[Pair],
    responses: Sequence[Text | Numbers] | None,
    acquisition: Acquisition,
) -> Asked:
    """All pairs of some responses to one prompt; or pairs, each with a prompt of its own.

    Raises:
        ShapeError: There are fewer than two responses, no pair, or one is not a prompt with two responses.
    """
    if responses is None:
        return _of_pairs(person, asked, acquisition)  # type: ignore[arg-type]
    return _of_responses(person, asked, responses, acquisition)  # type: ignore[arg-type]


def _of_responses(
    person: Person, prompt: Text, responses: Sequence[Text | Numbers], acquisition: Acquisition
) -> Asked:
    if len(responses) < 2:
        raise ShapeError(f"a question needs two responses, came {len(responses)}")
    scores, weight = _scores(person, [prompt] * len(responses), responses)
    indices = list(combinations(range(len(responses)), 2))
    pairs: list[Pair] = [(prompt, responses[i], responses[j]) for i, j in indices]
    best = scores[..., 0].argmax(-1)  # of several scores the first is the reward
    return Asked(pairs, _first(person, scores, torch.tensor(indices)), weight, acquisition.deciding(best))


def _of_pairs(person: Person, pairs: Sequence[Pair], acquisition: Acquisition) -> Asked:
    if not pairs:
        raise ShapeError("there must be a pair to ask about, came none")
    for i, pair in enumerate(pairs):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 3:
            raise ShapeError(f"pairs[{i}] must be a prompt and two responses, came {pair!r:.80}")
    # Each response to a prompt is scored once, in however many pairs it is.
    numbers: dict[Any, int] = {}
    items: list[tuple[Text, Text | Numbers]] = []
    indices = []
    for prompt, *both in pairs:
        for response in both:
            number = numbers.setdefault((name_of(prompt), name_of(response)), len(items))
            if number == len(items):
                items.append((prompt, response))
            indices.append(number)
    scores, weight = _scores(person, [prompt for prompt, _ in items], [response for _, response in items])
    return Asked(pairs, _first(person, scores, torch.tensor(indices).view(-1, 2)), weight, acquisition)


@torch.no_grad()
def _scores(
    person: Person, prompts: Sequence[Text], responses: Sequence[Text | Numbers]
) -> tuple[Float[Tensor, "s k p"], Float[Tensor, " s"]]:
    """Scores of responses, each to its own prompt, at atoms of the belief, and their weight."""
    latents, weight = atoms_of(person.belief)
    items = items_of(person.model, prompts, responses)
    # Single precision: half the time, and worths are not that exact.
    return person.model.scorer(items, latents, person.belief)[:, 0, 0].cpu().float(), weight.cpu().float()


@torch.no_grad()
def _first(person: Person, scores: Float[Tensor, "s k p"], pairs: Tensor) -> Float[Tensor, "s q"]:
    """Probability that the first of each pair is picked, at each atom."""
    found = []
    for part in pairs.split(_AT_ONCE):
        of_pairs = scores[:, part]  # [s, q, 2, p]
        best = person.model.likelihood.best(of_pairs, torch.ones(1, len(part), 2, dtype=torch.bool))
        found.append((best[..., 0] / (best[..., 0] + best[..., 1])).float())
    return torch.cat(found, 1)
