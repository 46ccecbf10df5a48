"""Policies of one group each: what there is to reach, and what share of it a person's policy has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from eval.generations.answers import AnswerWriter
from eval.generations.grid import GridNumbers
from eval.generations.people import HeldOutPanel
from eval.generations.raters import Rater
from eval.generations.steering import BEATS_REFERENCE, MOVEMENT, GeneratedAnswers, Scale, moved, wins

NAME = "dedicated"
SHARE = "share_of_dedicated_movement"
"""Metric: movement over that of a policy trained on the group's choices alone, both from the reference."""


def cells_of(
    dedicated: AnswerWriter, written: GeneratedAnswers, field: HeldOutPanel, judge: Rater
) -> Iterator[tuple[str, GridNumbers]]:
    """Movement and wins of a dedicated policy, and the share that the steered one has of that movement.

    A dedicated policy answers all people of its group alike, so it answers each prompt several times.

    Args:
        dedicated: Writes its answers.
        written: Answers of the steered policy to the same people.
        field: The people of its group.
        judge: Measures answers.

    Returns:
        Numbers, each with whose they are: `NAME`, or "" for the steered policy's.
    """
    people, scale, size = field.subjects, Scale(judge, field.prompts), written.largest
    reference, tastes = scale(written.reference), judge.tastes(people)
    answers = dedicated.shared(dedicated.policy.for_users([[]])[0], field.prompts, NAME)
    levels = np.repeat(scale(answers), len(people), 0)
    its = moved(levels, reference, tastes)
    mine = moved(scale(written.given[size]), reference, tastes)
    yield NAME, GridNumbers.grid(MOVEMENT, size, its, people, 0)
    yield NAME, GridNumbers.grid(BEATS_REFERENCE, size, wins(levels, reference, tastes), people, 0)
    share = GridNumbers.grid(SHARE, size, mine, people, 0)
    yield "", replace(share, weight=its.reshape(-1))
