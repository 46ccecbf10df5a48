"""What to ask a person next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.errors import ShapeError
from fsa.questions.acquisition import Acquisition
from fsa.questions.places import places_of
from fsa.questions.question import Pair, Question, best_question
from fsa.types import Belief, Numbers, Text

if TYPE_CHECKING:
    from fsa.outputs.person import Person


@torch.no_grad()
def ask_about_responses(
    person: Person, prompt: Text, responses: Sequence[Text | Numbers], acquisition: Acquisition
) -> Question:
    """The best pair among all pairs of some responses to one prompt; each response is scored once.

    Raises:
        ShapeError: There are fewer than two responses.
    """
    if len(responses) < 2:
        raise ShapeError(f"a question needs two responses, came {len(responses)}")
    latents, weight = places_of(person.belief)
    options = person.model.options([person], [prompt], [responses])
    scores = person.model.scorer(options, latents, person.belief)[:, 0, 0].cpu()  # [s, k, p]
    places = list(combinations(range(len(responses)), 2))
    of_pairs = scores[:, torch.tensor(places)]  # [s, q, 2, p]
    pairs: list[Pair] = [(prompt, responses[i], responses[j]) for i, j in places]
    return best_question(pairs, _first(person, of_pairs), weight, acquisition)


@torch.no_grad()
def ask_about_pairs(person: Person, pairs: Sequence[Pair], acquisition: Acquisition) -> Question:
    """The best of some pairs, each with a prompt of its own.

    Raises:
        ShapeError: There is no pair, or one is not a prompt with two responses.
    """
    if not pairs:
        raise ShapeError("there must be a pair to ask about, came none")
    for i, pair in enumerate(pairs):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 3:
            raise ShapeError(f"pairs[{i}] must be a prompt and two responses, came {pair!r:.80}")
    latents, weight = places_of(person.belief)
    prompts = [pair[0] for pair in pairs]
    options: list[Any] = [list(pair[1:]) for pair in pairs]
    people = [person] * len(pairs)
    scores = person.model.scorer(
        person.model.options(people, prompts, options),
        latents.expand(-1, len(pairs), -1),
        Belief.of_users([person.belief] * len(pairs)),
    )[:, :, 0].cpu()  # [s, q, 2, p]
    return best_question(pairs, _first(person, scores), weight, acquisition)


def _first(person: Person, scores: Float[Tensor, "s q 2 p"]) -> Float[Tensor, "s q"]:
    """Probability that the first of each pair is picked, at each place."""
    both = torch.ones(scores.shape[:-1], dtype=torch.bool)
    best = person.model.likelihood.best(scores, both)
    return best[..., 0] / best.sum(-1)
