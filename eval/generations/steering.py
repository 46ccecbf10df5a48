"""What answers do for the people they are for: movement, own attribute, and wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.generations.answers import Answers
from eval.generations.grid import Cells
from eval.generations.people import Field
from eval.generations.raters import Judge
from fsa.types import Text

MOVEMENT = "movement"
"""Metric: gain in what a person weighs, of answers with their choices over answers without any."""
REVERSED = "reversed_movement"
"""Metric: the same with every choice turned round; below 0 where choices are followed."""
OWN = "own_attribute_movement"
"""Metric: movement of the attributes that a group is named for, each in the direction of its name."""
BEATS_REFERENCE = "against_reference_win_rate"
"""Metric: share of answers that suit a person better than the reference's; ties half."""
BEATS_POOLED = "against_pooled_win_rate"
"""Metric: share of answers that suit a person better than the pooled policy's; ties half."""


@dataclass(frozen=True)
class Written:
    """Answers of one policy to everything a field asks.

    Attributes:
        reference, prior: Answers of the reference, and to an unknown person [1, q, shared samples].
        given: Answers by choices seen [p, q, samples].
        reversed: Answers once the largest context is reversed [p, q, samples].
    """

    reference: np.ndarray
    prior: np.ndarray
    given: dict[int, np.ndarray]
    reversed: np.ndarray

    @property
    def largest(self) -> int:
        """Most choices seen."""
        return max(self.given)


def write(answers: Answers, field: Field, sizes: Sequence[int]) -> Written:
    """Ask a policy everything: answers without choices, at each size, and with choices reversed."""
    read, prompts, people = answers.policy.for_users, field.prompts, field.subjects
    prior = answers.shared(read([[]])[0], prompts, "an unknown person")
    reference = answers.shared(None, prompts, "the reference")
    unknown = np.broadcast_to(prior, (len(people), *prior.shape[1:]))  # all alike without choices
    known = [size for size in sizes if size]
    if not known:
        return Written(reference, prior, {0: unknown}, unknown)
    # One call for all sizes, so that batches are full and one bar shows the whole.
    contexts = [person.seen(size) for size in known for person in people]
    contexts += [person.reversed(max(known)) for person in people]
    texts = answers.of(read(contexts), prompts, "answers after choices, and after the same reversed")
    by_size = texts.reshape(len(known) + 1, len(people), *texts.shape[1:])
    given = {0: unknown} if 0 in sizes else {}
    return Written(reference, prior, given | dict(zip(known, by_size, strict=False)), by_size[-1])


@dataclass(frozen=True)
class Scale:
    """A judge's measures of answers to a field's prompts."""

    judge: Judge
    prompts: Sequence[Text]

    def __call__(self, texts: np.ndarray) -> Float[np.ndarray, "p q c a"]:
        """How each answer is [people, prompts, samples, scales]."""
        people, _, samples = texts.shape
        prompts = [prompt for _ in range(people) for prompt in self.prompts for _ in range(samples)]
        levels = self.judge.each(prompts, list(texts.reshape(-1)))
        return levels.reshape(*texts.shape, -1)


def cells_of(
    written: Written, rival: np.ndarray | None, field: Field, judge: Judge, seed: int
) -> Iterator[Cells]:
    """Every measure of one policy's answers.

    Args:
        written: The answers.
        rival: The pooled policy's [1, q, shared samples], or None.
        field: Whom and what they are for.
        judge: Measures them.
        seed: Which training this is.
    """
    scale, people = Scale(judge, field.prompts), field.subjects
    tastes = judge.tastes(people)
    named = [judge.named_by(subject.group) for subject in people]
    own = np.stack([np.mean(list(each.values()), 0) if each else np.zeros(tastes.shape[1]) for each in named])
    prior, reference = scale(written.prior), scale(written.reference)
    pooled = None if rival is None else scale(rival)
    for size, texts in written.given.items():
        levels = scale(texts)
        if size:
            yield Cells.grid(MOVEMENT, size, moved(levels, prior, tastes), people, seed)
            if own.any():
                yield Cells.grid(OWN, size, moved(levels, prior, own), people, seed)
        yield Cells.grid(BEATS_REFERENCE, size, wins(levels, reference, tastes), people, seed)
        if pooled is not None:
            yield Cells.grid(BEATS_POOLED, size, wins(levels, pooled, tastes), people, seed)
    if written.largest:
        turned = moved(scale(written.reversed), prior, tastes)
        yield Cells.grid(REVERSED, written.largest, turned, people, seed)


def moved(
    levels: Float[np.ndarray, "p q c a"],
    before: Float[np.ndarray, "1 q r a"],
    tastes: Float[np.ndarray, "p a"],
) -> Float[np.ndarray, "p q"]:
    """How far answers went in the direction of each person's taste, in the mean over samples."""
    return np.einsum("pqa,pa->pq", levels.mean(2) - before.mean(2), tastes)


def wins(
    levels: Float[np.ndarray, "p q c a"],
    rivals: Float[np.ndarray, "1 q r a"],
    tastes: Float[np.ndarray, "p a"],
) -> Float[np.ndarray, "p q"]:
    """Share of samples that suit each person better than the rival's, each against each; ties half."""
    mine = np.einsum("pqca,pa->pqc", levels, tastes)[:, :, :, None]
    theirs = np.einsum("qra,pa->pqr", rivals[0], tastes)[:, :, None, :]
    # Equal up to rounding is a tie: the same text may be weighed in another order.
    gain = np.where(np.abs(mine - theirs) < 1e-9, 0, mine - theirs)
    return ((np.sign(gain) + 1) / 2).mean((2, 3))
