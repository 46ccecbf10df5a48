"""Rivals that change no weight: a person's wishes in the prompt, and the best of several answers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from eval.generations.answers import AnswerWriter
from eval.generations.distance import PER_ANSWER, distance
from eval.generations.grid import GridNumbers
from eval.generations.people import HeldOutPanel, HeldOutUser, best_and_worst, question_of
from eval.generations.raters import Rater
from eval.generations.steering import BEATS_REFERENCE, MOVEMENT, OWN, Scale, moved, wins
from fsa.outputs.reward_model import RewardModel
from fsa.types import Choice, Text

READ = "tokens_read"
"""Metric: tokens of a prompt, all that stands before the answer."""
BEST_OF = 4

STATEMENTS: Mapping[str, str] = {
    "concise": "The user likes very short answers of a few words.",
    "long": "The user likes long answers of two or three sentences.",
    "plain": "The user likes plain answers in short, simple words.",
    "learned": "The user likes learned answers in long, technical words.",
    "calm": "The user likes calm answers without any exclamation mark.",
    "lively": "The user likes enthusiastic answers with many exclamation marks!",
    "impersonal": "The user likes answers that never say I, me or my.",
    "personal": "The user likes answers in the first person, that say I and my.",
}
"""What each type would say of itself."""


class Rival(ABC):
    """Answers for each person without steering weights.

    Attributes:
        name: Its name in the report.
    """

    name: str

    @abstractmethod
    def write(self, answers: AnswerWriter, field: HeldOutPanel, size: int) -> np.ndarray:
        """Answers for all people to all prompts, knowing `size` choices [people, prompts, 1]."""

    def prompt(self, subject: HeldOutUser, prompt: Text, size: int) -> Text:
        """What the model reads."""
        return prompt

    @abstractmethod
    def distance(
        self, answers: AnswerWriter, field: HeldOutPanel, size: int, num_answers: int
    ) -> list[GridNumbers]:
        """How far its answers are from the reference's, in nats, from so many answers; see `distance`."""


class InPrompt(Rival):
    """The reference, told about the person in its system prompt."""

    @abstractmethod
    def about(self, subject: HeldOutUser, size: int) -> str:
        """What is told."""

    def prompt(self, subject: HeldOutUser, prompt: Text, size: int) -> Text:
        return told(prompt, self.about(subject, size))

    def write(self, answers: AnswerWriter, field: HeldOutPanel, size: int) -> np.ndarray:
        asked = [self.prompt(subject, each, size) for subject in field.subjects for each in field.prompts]
        different = list(dict.fromkeys(map(_key, asked)))
        texts = {_key(one): one for one in asked}
        written = answers.of([None], [texts[key] for key in different], self.name, samples=1)[0, :, 0]
        place = {key: i for i, key in enumerate(different)}
        found = [written[place[_key(one)]] for one in asked]
        return np.array(found, object).reshape(len(field.subjects), len(field.prompts), 1)

    def distance(
        self, answers: AnswerWriter, field: HeldOutPanel, size: int, num_answers: int
    ) -> list[GridNumbers]:
        how = answers.writing
        return distance(
            answers.policy, field, [size], num_answers, how.max_new_tokens, how.seed, 0, how.batch_size,
            answers.console, reads=self.prompt,
        )  # fmt: skip


class StatedPreference(InPrompt):
    """The person's type, stated in words: what choices have to be guessed from is known here."""

    name = "stated in the prompt"

    def about(self, subject: HeldOutUser, size: int) -> str:
        return STATEMENTS[subject.group]


class ChoicesInPrompt(InPrompt):
    """The person's choices, written out."""

    name = "choices in the prompt"

    def about(self, subject: HeldOutUser, size: int) -> str:
        shown = "\n\n".join(map(_written, subject.seen(size)))
        return f"Answer in the way this user prefers. What the user chose before:\n\n{shown}"


@dataclass
class BestOfReference(Rival):
    """The best of some of the reference's answers, by a reward model that has read the person's choices."""

    rewards: RewardModel
    name: str = f"best of {BEST_OF}"

    def write(self, answers: AnswerWriter, field: HeldOutPanel, size: int) -> np.ndarray:
        # Others than those that answers are compared with: the first of the shared ones are the reference's.
        shared = max(answers.writing.samples, answers.writing.shared_samples)
        drawn = answers.of([None], field.prompts, self.name, shared + BEST_OF)[0, :, shared:]
        people = self.rewards.for_users([subject.seen(size) for subject in field.subjects])
        best = []
        for person in people:
            scores = self.rewards.score_batch(
                [person] * len(field.prompts), field.prompts, [list(options) for options in drawn]
            )
            best += [options[int(np.argmax(s.reward))] for options, s in zip(drawn, scores, strict=True)]
        return np.array(best, object).reshape(len(field.subjects), len(field.prompts), 1)

    def distance(
        self, answers: AnswerWriter, field: HeldOutPanel, size: int, num_answers: int
    ) -> list[GridNumbers]:
        """The bound that holds whatever the rewards are.

        Reference:
            [Beirami2024] Theorem 1: KL(best of n || reference) is at most log n - (n - 1) / n.
        """
        bound = math.log(BEST_OF) - (BEST_OF - 1) / BEST_OF
        everywhere = np.full((len(field.subjects), len(field.prompts)), bound)
        return [GridNumbers.grid(PER_ANSWER, size, everywhere, field.subjects, 0)]


def rivals_of(field: HeldOutPanel, rewards: RewardModel | None) -> list[Rival]:
    """All rivals that these people allow: the stated one needs types with a name, the best a reward model."""
    stated: list[Rival] = [StatedPreference()] if set(field.groups) <= set(STATEMENTS) else []
    best: list[Rival] = [BestOfReference(rewards)] if rewards else []
    return [ChoicesInPrompt(), *stated, *best]


def cells_of(
    rival: Rival,
    answers: AnswerWriter,
    reference: np.ndarray,
    field: HeldOutPanel,
    judge: Rater,
    size: int,
    distance_answers: int = 0,
) -> Iterator[GridNumbers]:
    """A rival's movement from the reference, wins against it, distance to it, and tokens that it reads."""
    people, scale = field.subjects, Scale(judge, field.prompts)
    levels, plain = scale(rival.write(answers, field, size)), scale(reference)
    tastes = judge.tastes(people)
    yield GridNumbers.grid(MOVEMENT, size, moved(levels, plain, tastes), people, 0)
    yield GridNumbers.grid(OWN, size, moved(levels, plain, tastes), people, 0)
    yield GridNumbers.grid(BEATS_REFERENCE, size, wins(levels, plain, tastes), people, 0)
    if distance_answers:
        yield from rival.distance(answers, field, size, distance_answers)
    texts = answers.policy.texts
    if texts is not None:
        asked = [rival.prompt(subject, each, size) for subject in people for each in field.prompts]
        read = texts.prompts(asked)[1].sum(1).numpy().astype(float)
        yield GridNumbers.grid(READ, size, read.reshape(len(people), -1), people, 0)


def told(prompt: Text, about: str) -> Text:
    """A prompt with more in its system prompt; a plain text gets it before its own words."""
    if isinstance(prompt, str):
        return f"{about}\n\n{prompt}"
    said = [message["content"] for message in prompt if message["role"] == "system"]
    rest = [dict(message) for message in prompt if message["role"] != "system"]
    return ({"role": "system", "content": " ".join([*said, about])}, *rest)


def _written(choice: Choice) -> str:
    best, worst = best_and_worst(choice)
    return f"Question: {question_of(choice.prompt)}\nChosen: {best}\nNot chosen: {worst}"


def _key(prompt: Text) -> str:
    return repr(prompt)
