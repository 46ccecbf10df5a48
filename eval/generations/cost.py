"""`costs`: what a policy still gets right once it is steered, and how much its answers repeat each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console

from eval.generations.answers import AnswerWriter
from eval.generations.people import HeldOutPanel
from eval.generations.questions import Question, right
from eval.generations.steering import GeneratedAnswers
from fsa.outputs.policy import Policy
from fsa.reports.intervals import mean_interval, paired_interval
from fsa.reports.row import Row
from fsa.types import Text

CORRECT = "correct_share"
"""Metric: share of questions answered right, by the policy; `reference_correct_share` by the reference."""
GAINED = "correct_minus_reference"
"""Metric: the policy's share less the reference's on the same questions, paired."""
_LONGEST = 16  # tokens; the answers looked for are a word


def costs(
    answers: AnswerWriter,
    written: GeneratedAnswers,
    field: HeldOutPanel,
    asked: Sequence[Question],
    data: str,
    method: str,
) -> list[Row]:
    """What the largest context costs: right answers and their variety, each beside the reference's."""
    size, how = written.largest, answers.writing
    rows = correctness(answers.policy, field, [size], asked, data, method, how.batch_size, answers.console)
    return [*rows, *diversity(written.given[size], written.reference[0], data, method, size)]


def correctness(
    policy: Policy,
    field: HeldOutPanel,
    sizes: Sequence[int],
    asked: Sequence[Question],
    data: str,
    method: str,
    batch_size: int = 64,
    console: Console | None = None,
) -> Iterator[Row]:
    """Share of right answers at each context size and of the reference; the likeliest token each time.

    People take turns, so that a question is asked once at each size. Intervals resample questions.

    Args:
        policy: The policy.
        field: People; the system prompt of their prompts stands before the questions too.
        sizes: Choices seen.
        asked: The questions.
        data, method: As they stand in the report.
        batch_size: Questions answered at once.
        console: Where progress is shown; None shows none.
    """
    chats = [chat(question.text, field.prompts[0]) for question in asked]
    number = np.arange(len(asked))
    if console:
        console.print(f"{len(asked):,} questions to the reference, and after {sizes} choices")

    def scored(people: Sequence[object]) -> np.ndarray:
        texts = policy.generate(
            people,  # type: ignore[arg-type]
            chats,
            batch_size=batch_size,
            progress=console is not None,
            max_new_tokens=_LONGEST,
        )
        return right(asked, texts)

    reference = scored([None] * len(asked))
    name = f"reference_{CORRECT}"
    yield Row.of(mean_interval(reference, [number]), data, method, "all", 0, name)
    for size in sizes:
        known = policy.for_users([subject.seen(size) for subject in field.subjects])
        own = scored([known[i % len(known)] for i in range(len(asked))])
        yield Row.of(mean_interval(own, [number]), data, method, "all", size, CORRECT)
        yield Row.of(paired_interval(own, reference, [number]), data, method, "all", size, GAINED)


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
