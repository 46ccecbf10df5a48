"""`sandbox_corpus`: prompts and responses of every style, to pretrain a small policy on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fsa.choices.sandbox_text.composing import ask, compose
from fsa.choices.sandbox_text.topics import QUESTIONS, SITUATIONS, TASKS
from fsa.choices.sandbox_text.wordings import ATTRIBUTES
from fsa.seeding import integers

_CORPUS = 300  # what a random number is for; no other part of the sandbox uses this counter


def sandbox_corpus(
    num_pairs: int, seed: int = 0, start: int = 0
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Pairs of a random prompt and a response of random style: all styles are equally common.

    Args:
        num_pairs: How many to give.
        seed: Seed of the corpus.
        start: Number of the first; pair i depends on (seed, i) alone, so a later part is an offset.

    Yields:
        Prompt, response, and the response's level (-1 or +1) of each of `ATTRIBUTES`.
    """
    below = np.array([len(TASKS), len(QUESTIONS), len(SITUATIONS), *(2 for _ in ATTRIBUTES)])
    for index in range(start, start + num_pairs):
        topic, wording, situation, *bits = integers(
            below, seed, _CORPUS, index, np.arange(len(below))
        ).tolist()
        levels = tuple(2 * bit - 1 for bit in bits)
        yield ask(topic, wording, situation), compose(topic, levels, seed, index), levels
