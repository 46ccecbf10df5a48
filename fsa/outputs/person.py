"""`Person`: one person's reward model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import torch

from fsa.errors import ChoiceDataError, ConfigError, ShapeError
from fsa.likelihoods.likelihood import picked
from fsa.outputs.api_inputs import Choices, as_choice
from fsa.outputs.history import History
from fsa.outputs.person_file import save_person
from fsa.outputs.reading import options_of
from fsa.types import Belief, Choice, Numbers, Text

# What explains, asks and reads statements is loaded when it is called: who scores needs none of it.
if TYPE_CHECKING:
    from fsa.judge.target import AlignmentTarget
    from fsa.outputs.asking import Asked
    from fsa.outputs.explaining import Explanation
    from fsa.outputs.likings import Group, Likings
    from fsa.outputs.reward_model import RewardModel, Scores
    from fsa.outputs.statements import Bank
    from fsa.questions.acquisition import Acquisition
    from fsa.questions.forecast import Forecast
    from fsa.questions.question import Pair, Question


@dataclass(frozen=True, repr=False)
class Person:
    """One person's reward model: a belief about them, and the model it was read by.

    Attributes:
        model: What read them.
        belief: What it believes of them.
        history: The choices that it was read from; None where they were not kept.
    """

    model: RewardModel
    belief: Belief
    history: History | None = None

    def __repr__(self) -> str:
        width = self.belief.mean.shape[-1]
        where = self.model.origin or "a model that was never saved"
        known = "" if self.history is None else f"{len(self.history.choices)} choices, "
        return f"{type(self).__name__}({known}belief of {width} numbers, read by {where})"

    def __reduce__(self) -> Any:
        """Pickled as belief, choices and the model's folder, which is opened again where it is unpickled."""
        if self.model.origin is None:
            raise TypeError("a person of a model that was never saved cannot be pickled; keep their choices")
        folder = str(self.model.origin.absolute())
        return _person_of, (type(self), type(self.model), folder, self.belief, self.history)

    def save(self, path: str | Path, choices: bool = True) -> None:
        """Write this person to a file, which `RewardModel.load_person` of the same model opens.

        Args:
            path: Such as `ann.person.safetensors`.
            choices: Whether to keep their choices in it; without, it can be scored with and no more.

        Raises:
            OutputError: The file cannot be written.
        """
        save_person(self, path, choices)

    def update(self, choices: Choices | Choice | Mapping[str, Any]) -> Self:
        """This person after one more choice, or several, oldest first.

        The same to the last digit as one who was read so from the start.

        Raises:
            ChoiceDataError: Something is no choice, or this person's own were not kept.
        """
        more = [choices] if isinstance(choices, Choice | Mapping) else choices
        parsed = [as_choice(choice, i) for i, choice in enumerate(more)]
        return self._read(self._history().with_more(parsed))

    def forget(self, choice: Choice | Mapping[str, Any] | Literal["all"]) -> Self:
        """This person as if a choice had never been made, however often it was, or no choice at all.

        The same to the last digit as one who was read so from the start.

        Raises:
            ChoiceDataError: There is no such choice, or this person's were not kept.
        """
        history = self._history()
        if isinstance(choice, str):
            if choice != "all":
                raise ChoiceDataError(f'what to forget is a choice or "all", came {choice!r:.80}')
            return self._read(History((), history.half_life))  # what was stated too
        return self._read(history.without(as_choice(choice, 0)))

    def state(self, stated: Mapping[str, Any] | AlignmentTarget, bank: Bank | None) -> Self:
        """This person with what they say of themselves, in place of what they said before.

        Args:
            stated: A level of each attribute, 0-1, or "low", "middle", "high"; or a target.
            bank: Responses whose levels give that a meaning.

        Raises:
            ConfigError: There is no bank, it lacks an attribute, or the encoder counts all choices alike.
            ChoiceDataError: This person's choices were not kept.
        """
        if bank is None:
            raise ConfigError("stated needs a bank of responses to have a meaning; see fsa.Bank.measured")
        return self._read(replace(self._history(), stated=bank.evidence(stated)))

    def explain(
        self, prompt: Text, responses: Sequence[Text | Numbers], most_changes: int = 2
    ) -> Explanation:
        """Why responses are ranked as they are: by which choices and tastes, and what would flip it.

        Args:
            prompt: What is responded to.
            responses: Two or more.
            most_changes: Most choices to leave out or reverse in the search for another winner.

        Raises:
            ChoiceDataError: This person's choices were not kept.
            ShapeError: There are fewer than two responses.
        """
        from fsa.outputs.explaining import explain

        return explain(self, self._history(), prompt, responses, most_changes)

    def likings(self, groups: Sequence[Group]) -> Likings:
        """How much this person likes which attribute of responses; see `fsa.outputs.likings.likings`.

        Args:
            groups: Responses that show the attributes, with levels or to be measured.

        Raises:
            ShapeError: The groups are none, or of different attributes.
        """
        from fsa.outputs.likings import likings

        return likings(self, groups)

    def _read(self, history: History) -> Self:
        return self.model.read([history])[0]  # type: ignore[return-value]

    def _history(self) -> History:
        if self.history is None:
            raise ChoiceDataError("this person's choices were not kept; read them again with for_user")
        return self.history

    def save_reward(self, folder: str | Path) -> None:
        """Write this person's reward as a plain sequence classifier, for other tools; see `save_reward`.

        Raises:
            ConfigError: The model has features or a head that no such classifier has; names the preset.
        """
        from fsa.outputs.sequence_classifier import save_reward  # needs peft, which takes seconds

        save_reward(self, folder)

    def score(self, prompt: Text, responses: Sequence[Text | Numbers]) -> Scores:
        """Rewards of some responses to a prompt."""
        return self.model.score_batch([self], [prompt], [responses])[0]

    def rank(
        self,
        prompt: Text,
        candidates: Sequence[Text | Numbers],
        top_k: int | None = None,
        return_documents: bool = True,
    ) -> list[dict[str, Any]]:
        """Candidates from the highest reward down, shaped as by sentence-transformers' `CrossEncoder.rank`.

        Args:
            prompt: What is responded to.
            candidates: One or more responses.
            top_k: How many to give; all if None.
            return_documents: Whether each has its response too.

        Returns:
            One mapping a candidate: `corpus_id`, its place among the candidates; `score`, its reward in nats;
            and `text`. Equal rewards keep the order of the candidates.

        Raises:
            ShapeError: There is no candidate, or `top_k` is below 1.
        """
        if top_k is not None and top_k < 1:
            raise ShapeError(f"top_k must be 1 or more, came {top_k}")
        rewards = self.score(prompt, candidates).reward
        order = (-rewards).argsort(kind="stable")[:top_k].tolist()
        return [
            {"corpus_id": i, "score": float(rewards[i])}
            | ({"text": candidates[i]} if return_documents else {})
            for i in order
        ]

    @torch.no_grad()
    def prefers(self, prompt: Text, a: Text | Numbers, b: Text | Numbers) -> float:
        """Probability, 0-1, that this person picks a over b."""
        pair = options_of(self.model, [self], [prompt], [[a, b]])
        chances = picked(self.model.likelihood, self.model.predictive(pair, self.belief), pair.option_mask)
        return chances[0, 0, 0].item()

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
            acquisition: What an answer is worth; what it says about the other pairs if not given.

        Raises:
            ShapeError: There is nothing to ask about.
        """
        return self.next_questions(1, asked, responses, acquisition)[0]

    def next_questions(
        self,
        count: int,
        asked: Text | Sequence[Pair],
        responses: Sequence[Text | Numbers] | None = None,
        acquisition: Acquisition | None = None,
    ) -> list[Question]:
        """Several pairs to ask about at once, best first and none twice; fewer where there are fewer.

        Each is worth what its answer is expected to add to those of the questions before it. The rest is as
        in `next_question`.
        """
        if count < 1:
            raise ShapeError(f"count of questions must be 1 or more, came {count}")
        return self._asked(asked, responses, acquisition).questions(count)

    def questions_until(
        self,
        accuracy: float,
        asked: Text | Sequence[Pair],
        responses: Sequence[Text | Numbers] | None = None,
        acquisition: Acquisition | None = None,
        most: int = 20,
    ) -> Forecast:
        """Expected number of questions until answers about these pairs can be predicted.

        Args:
            accuracy: Wanted share of pairs predicted, 0-1.
            asked, responses, acquisition: As in `next_question`.
            most: Questions to look ahead.
        """
        return self._asked(asked, responses, acquisition).forecast(accuracy, most)

    def _asked(
        self, pairs: Any, responses: Sequence[Text | Numbers] | None, acquisition: Acquisition | None
    ) -> Asked:
        from fsa.outputs.asking import asked
        from fsa.questions.predictive_gain import PredictiveGain

        return asked(self, pairs, responses, PredictiveGain() if acquisition is None else acquisition)


@lru_cache(maxsize=8)
def _opened(kind: Any, folder: str) -> RewardModel:
    """A model for people that are unpickled: one for all of them."""
    model: RewardModel = kind.from_pretrained(folder)
    return model


def _person_of(
    person: type[Person], kind: type[RewardModel], folder: str, belief: Belief, history: History | None
) -> Person:
    opener: Any = _opened  # a class can be hashed, though its objects say otherwise
    return person(opener(kind, folder), belief, history)
