"""`stopping`: how many answers come to their end before they are cut, beside those of the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from eval.generations.answers import AnswerWriter, Writing
from eval.generations.distance import REFERENCE_STOPPED, STOPPED, asked_of, drawn, writer_of
from eval.generations.grid import GridNumbers, joined
from eval.generations.people import HeldOutPanel
from eval.generations.raters import Rater
from eval.generations.steering import GeneratedAnswers
from fsa.outputs.policy import Policy

STOPPED_RATIO = "stopped_over_reference"
"""Metric: `stopped_share` over `reference_stopped_share`, 0 and up."""
WRITTEN_RATIO = "written_stopped_over_reference"
"""Metric: the same of the answers that were written to be judged, by the tokens of their texts."""


def stopping(
    policy: Policy,
    field: HeldOutPanel,
    size: int,
    num_answers: int,
    judge: Rater,
    writing: Writing,
    training: int,
    console: Console | None = None,
) -> Iterator[GridNumbers]:
    """Which of many answers stop, of the policy and of the reference, and the ratio of the two shares.

    The ratio is of all types, and of those named for each attribute: who asks for length stops otherwise than
    who does not. Answers are not scored, which would cost three times as much; see `distance`.
    """
    model, texts = writer_of(policy)
    who, asked = asked_of(len(field.subjects), len(field.prompts), num_answers)
    known = policy.for_users([subject.seen(size) for subject in field.subjects])
    z = torch.cat([known[i].belief.mean for i in who]).float().to(policy.device)
    order = np.array(sorted(range(len(who)), key=lambda i: len(str(field.prompts[asked[i]]))))
    shares = {}
    for metric, steered in ((STOPPED, True), (REFERENCE_STOPPED, False)):
        whose = "people" if steered else "the reference"
        stopped = np.zeros(len(who))
        with torch.random.fork_rng():
            torch.manual_seed(writing.seed)
            for start in track(
                range(0, len(order), writing.batch_size),
                f"Drawing {len(order)} answers of {whose}, to see which stop",
                console=console,
                disable=not console,
            ):
                rows = order[start : start + writing.batch_size]
                prompts = texts.prompts([field.prompts[asked[i]] for i in rows])
                ids, mask = (each.to(policy.device) for each in prompts)
                answer, end = drawn(
                    model, texts, ids, mask, z[rows] if steered else None, writing.max_new_tokens
                )
                stopped[rows] = (answer == end).any(1).cpu().numpy()
        cells = GridNumbers.grid(
            metric, size, np.zeros((len(field.subjects), len(field.prompts))), field.subjects, training
        )
        shares[metric] = replace(cells.where(who * len(field.prompts) + asked), value=stopped)
        yield shares[metric]
    yield from _ratios(shares[STOPPED], shares[REFERENCE_STOPPED], judge)


def of_written(
    answers: AnswerWriter, written: GeneratedAnswers, field: HeldOutPanel, judge: Rater, training: int
) -> Iterator[GridNumbers]:
    """The ratio of the answers that are there already, after the largest context and after it reversed.

    A text that has the most tokens but one was cut: a token may be lost at its ends when it is read back.
    """
    tokenizer, most = writer_of(answers.policy)[1].tokenizer, answers.writing.max_new_tokens

    def stopped(texts: np.ndarray) -> Float[np.ndarray, "p q"]:
        ids: Any = tokenizer([str(text) for text in texts.flat], add_special_tokens=False)["input_ids"]
        ends = np.array([len(row) < most - 1 for row in ids], float)
        shares: Float[np.ndarray, "p q"] = ends.reshape(texts.shape).mean(2)
        return shares

    size, people = written.largest, field.subjects
    both = (written.given[size], written.reversed)
    own = joined(GridNumbers.grid(STOPPED, size, stopped(texts), people, training) for texts in both)[0]
    reference = stopped(written.reference)[0][own.prompt]
    yield from _ratios(own, replace(own, value=reference), judge, WRITTEN_RATIO)


def _ratios(
    own: GridNumbers, reference: GridNumbers, judge: Rater, metric: str = STOPPED_RATIO
) -> Iterator[GridNumbers]:
    ratio = replace(own, metric=metric, weight=reference.value)
    named = {group: list(judge.named_by(group).values()) for group in np.unique(ratio.group)}
    by_attribute = {
        name: [group for group, found in named.items() if any(direction[place] for direction in found)]
        for place, name in enumerate(judge.names)
    }
    for name, groups in ({"all": list(named)} | by_attribute).items():
        its = ratio.where(np.isin(ratio.group, groups))
        if its.weight.any():  # else the reference never stops: there is no ratio
            yield replace(its, group=np.full(len(its.group), "all", object), slice={"attribute": name})
