"""`costs`: what a policy still gets right once it is steered, and how much its answers repeat each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eval.generations.answers import AnswerWriter
from eval.generations.grid import GridNumbers
from eval.generations.people import HeldOutPanel
from eval.generations.questions import Question, right
from fsa.reports.row import Row
from fsa.types import Text

CORRECT = "correct_share"
"""Metric: share of questions answered right, by the policy; `reference_correct_share` by the reference."""
GAINED = "correct_minus_reference"
"""Metric: the policy's share less the reference's on the same questions, paired."""
_LONGEST = 16  # tokens; the answers looked for are a word


def costs(
    answers: AnswerWriter, field: HeldOutPanel, size: int, asked: Sequence[Question], seed: int
) -> Iterator[GridNumbers]:
    """Share of right answers after some choices, the reference's, and the one less the other.

    Every question is asked for one person of each group; people take turns. The likeliest token is taken each
    time. Intervals resample questions.

    Args:
        answers: What writes them.
        field: People; the system prompt of their prompts stands before the questions too.
        size: Choices seen.
        asked: The questions.
        seed: Number of the training, as it stands in the numbers.
    """
    policy, console = answers.policy, answers.console
    chats = [chat(question.text, field.prompts[0]) for question in asked]
    groups = [[one for one in field.subjects if one.group == group] for group in field.groups]
    turns = [people[number % len(people)] for people in groups for number in range(len(asked))]
    if console:
        console.print(f"{len(asked):,} questions to the reference, and for {len(groups)} people each")

    def scored(people: Sequence[Any]) -> np.ndarray:
        times = len(people) // len(asked)
        texts = policy.generate(
            people,
            chats * times,
            batch_size=answers.writing.batch_size,
            progress=console is not None,
            max_new_tokens=_LONGEST,
        )
        return right([*asked] * times, texts)

    reference = np.tile(scored([None] * len(asked)), len(groups))
    read = policy.for_users([one.seen(size) for one in field.subjects])
    known = {subject.number: person for subject, person in zip(field.subjects, read, strict=True)}
    own = scored([known[one.number] for one in turns])
    for metric, value in (
        (f"reference_{CORRECT}", reference),
        (CORRECT, own),
        (GAINED, own - reference),
    ):
        one_each = GridNumbers.grid(
            metric, size, value.reshape(len(groups), -1), [group[0] for group in groups], seed
        )
        yield replace(one_each, user=np.array([one.number for one in turns]), fixed_users=True)


def chat(question: str, like: Text) -> Text:
    """A question as the prompts of a panel are: a chat with their system prompt, or a text."""
    if isinstance(like, str):
        return question
    system = [dict(message) for message in like if message["role"] == "system"]
    return (*system, {"role": "user", "content": question})


def diversity(own: np.ndarray, reference: np.ndarray, data: str, method: str, size: int) -> Iterator[Row]:
    """`distinct_2` of answers [p, q, c], and of as many of the reference's to the same prompts [q, r]."""
    by_prompt = own.transpose(1, 0, 2).reshape(len(reference), -1)
    each = min(by_prompt.shape[1], reference.shape[1])
    for whose, texts in (("", by_prompt), ("reference_", reference)):
        compared = list(texts[:, :each].flat)
        value = distinct(compared)
        yield Row(data, method, "all", {}, size, f"{whose}distinct_2", value, None, None, len(compared), 1)


def distinct(texts: Sequence[str], n: int = 2) -> float:
    """Different runs of n words among all of them, 0 to 1; smaller repeats more. Compare equally many texts.

    Reference:
        [Li2016] A diversity-promoting objective function, Sec. 5.2: distinct-n.
    """
    runs = [tuple(words[i : i + n]) for words in map(str.split, texts) for i in range(len(words) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0
