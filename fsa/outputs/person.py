"""`Person`: one person's reward model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fsa.errors import ShapeError
from fsa.outputs.asking import ask_about_pairs, ask_about_responses
from fsa.questions.acquisition import Acquisition
from fsa.questions.information_gain import InformationGain
from fsa.questions.question import Pair, Question
from fsa.types import Belief, Numbers, Text

if TYPE_CHECKING:
    from fsa.outputs.reward_model import RewardModel, Scores


@dataclass(frozen=True, repr=False)
class Person:
    """One person's reward model: a belief about them, and the model it was read by."""

    model: RewardModel
    belief: Belief

    def __repr__(self) -> str:
        width = self.belief.mean.shape[-1]
        where = self.model.origin or "a model that was never saved"
        return f"{type(self).__name__}(belief of {width} numbers, read by {where})"

    def __reduce__(self) -> Any:
        """Pickled as the belief and the model's folder, which whoever unpickles it opens again."""
        if self.model.origin is None:
            raise TypeError("a person of a model that was never saved cannot be pickled; keep their choices")
        return _person_of, (type(self), type(self.model), str(self.model.origin.absolute()), self.belief)

    def score(self, prompt: Text, responses: Sequence[Text | Numbers]) -> Scores:
        """Rewards of some responses to a prompt."""
        return self.model.score_batch([self], [prompt], [responses])[0]

    @torch.no_grad()
    def prefers(self, prompt: Text, a: Text | Numbers, b: Text | Numbers) -> float:
        """Probability, 0-1, that this person picks a over b."""
        scores, mask = self.model._scores([self], [prompt], [[a, b]])
        best = self.model.likelihood.best(scores, mask.expand(len(scores), -1, -1)).mean(0)[0]
        return float(best[0] / best.sum())

    def next_question(
        self,
        asked: Text | Sequence[Pair],
        responses: Sequence[Text | Numbers] | None = None,
        acquisition: Acquisition | None = None,
    ) -> Question:
        """The pair whose answer is worth most: `next_question(prompt, responses)` or `next_question(pairs)`.

        Args:
            asked: A prompt; or, without `responses`, pairs, each a prompt and two responses.
            responses: Two or more responses to the prompt, all pairs of which are weighed.
            acquisition: What an answer is worth; what it says about the person if not given.

        Raises:
            ShapeError: There is nothing to ask about.
        """
        worth = InformationGain() if acquisition is None else acquisition
        if responses is None:
            return ask_about_pairs(self, asked, worth)  # type: ignore[arg-type]
        return ask_about_responses(self, asked, responses, worth)  # type: ignore[arg-type]


def check_people(
    model: RewardModel, people: Sequence[Person], responses: Sequence[Sequence[Text | Numbers]]
) -> None:
    """Refuse people of another model, and people without a response to score.

    Raises:
        ShapeError: Names the first of them.
    """
    for i, (person, each) in enumerate(zip(people, responses, strict=True)):
        if person.model is not model:
            raise ShapeError(f"people[{i}] was read by another model; beliefs of two models do not mix")
        if isinstance(each, str | Mapping) or not isinstance(each, Sequence | np.ndarray):
            raise ShapeError(f"responses[{i}] must be a list of responses, came {each!r:.80}")
        if not len(each):
            raise ShapeError(f"responses[{i}] is empty; there must be a response to score")


@lru_cache(maxsize=8)
def _opened(kind: Any, folder: str) -> RewardModel:
    """A model for people that are unpickled: one for all of them."""
    model: RewardModel = kind.from_pretrained(folder)
    return model


def _person_of(person: type[Person], kind: type[RewardModel], folder: str, belief: Belief) -> Person:
    opener: Any = _opened  # a class can be hashed, though its objects say otherwise
    return person(opener(kind, folder), belief)
