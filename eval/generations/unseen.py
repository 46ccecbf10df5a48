"""People of a type that no training had: the same texts and prompts, other tastes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from eval.generations.answers import AnswerWriter
from eval.generations.grid import GridNumbers
from eval.generations.people import HeldOutPanel, HeldOutUser, choose
from eval.generations.raters import Rater, SandboxRater
from eval.generations.steering import MOVEMENT, OWN, REVERSED, Scale, moved, write
from fsa.choices.sandbox import Sandbox
from fsa.choices.source import Source
from fsa.choices.splits import Splitter
from fsa.errors import ConfigError
from fsa.metrics.choice_accuracy import SAME_OF_TEXT, correctness
from fsa.outputs.policy import Policy
from fsa.types import Choice

IMPLICIT = "implicit_accuracy"
"""Metric: accuracy of the reward that the policy implies, on held-out choices."""
FLIPPED = "flip_implicit_accuracy"
"""Metric: the same after every choice in the context was turned round."""
DECIDED = "decided_implicit_accuracy"
"""Metric: the same on choices whose options are not equally good to the person: else a coin decided."""
LIMIT = "bayes_accuracy"
"""Metric: accuracy of the person's own taste."""
_AT_ONCE = 64


def sandbox_of(source: Sandbox, arguments: Mapping[str, Any], kind: str) -> Sandbox:
    """The sandbox a run trained on, with users of one other type.

    Args:
        source: That sandbox.
        arguments: What it was made with.
        kind: Poles, joined by "+".

    Raises:
        ConfigError: The type was trained on, or is none.
    """
    for known in source.tastes.groups:
        if set(known.split("+")) == set(kind.split("+")):
            raise ConfigError(f"--unseen {kind}: the run trained on that type; name one that is new to it")
    return Sandbox(**{**arguments, "tastes": "types", "types": [kind]})


def field_of(
    sandbox: Sandbox, splits: Splitter, split: str, people: int, prompts: int, max_context: int, seed: int
) -> HeldOutPanel:
    """Held-out people of the new type and held-out prompts, under the run's own split."""
    table = getattr(splits(sandbox.load()), split)
    chosen = choose(table, people, prompts, max_context, 20, seed)
    return replace(chosen, fixed_users=False)  # one group of many people


def panels(
    types: Sequence[str],
    source: Source,
    config: Mapping[str, Any],
    splits: Splitter,
    split: str,
    draw: tuple[int, int, int, int],
) -> dict[str, tuple[HeldOutPanel, SandboxRater]]:
    """Whom to ask for each type, and its judge.

    Args:
        types: Types that no training saw.
        source: Of the runs.
        config: Of a run.
        splits, split: Of the runs, and which of them to ask.
        draw: As `field_of` takes it: people, prompts, choices to keep, seed.

    Raises:
        ConfigError: The source is no sandbox.
    """
    if types and not isinstance(source, Sandbox):
        raise ConfigError(f"--unseen {types[0]}: only the sandbox can make users of another type")
    arguments = config["source"].get("init_args") or {}
    made = {kind: sandbox_of(source, arguments, kind) for kind in types}  # type: ignore[arg-type]
    return {
        kind: (field_of(sandbox, splits, split, *draw), SandboxRater(sandbox))
        for kind, sandbox in made.items()
    }


def cells_of(
    answers: AnswerWriter, field: HeldOutPanel, judge: SandboxRater, sizes: Sequence[int], seed: int
) -> Iterator[GridNumbers]:
    """Movement in all, of each attribute of the type in its own direction, and reversed; then accuracy."""
    people, sliced = field.subjects, {"unseen": field.groups[0]}
    scale, written = Scale(judge, field.prompts), write(answers, field, sizes)
    prior, tastes = scale(written.prior), judge.tastes(people)
    after = {(False, size): scale(texts) for size, texts in written.given.items() if size}
    after |= {(True, written.largest): scale(written.reversed)} if written.largest else {}
    for (is_reversed, size), levels in after.items():
        metric = REVERSED if is_reversed else MOVEMENT
        yield GridNumbers.grid(metric, size, moved(levels, prior, tastes), people, seed, sliced)
        if not is_reversed:
            yield from _own(judge, levels, prior, field, size, seed)
    yield from accuracy(answers.policy, field, judge, sizes, seed, answers.console)


def _own(
    judge: Rater, levels: np.ndarray, prior: np.ndarray, field: HeldOutPanel, size: int, seed: int
) -> Iterator[GridNumbers]:
    kind, people = field.groups[0], field.subjects
    for pole, towards in judge.named_by(kind).items():
        values = moved(levels, prior, np.tile(towards, (len(people), 1)))
        mine = [replace(subject, group=pole) for subject in people]
        yield GridNumbers.grid(OWN, size, values, mine, seed, {"unseen": kind})


def accuracy(
    policy: Policy,
    field: HeldOutPanel,
    judge: SandboxRater,
    sizes: Sequence[int],
    seed: int,
    console: Console | None = None,
) -> Iterator[GridNumbers]:
    """Implicit accuracy at each size on choices that were not seen, beside that of the true taste."""
    people = field.subjects
    gains = true_gains(judge, people)
    limit = [_credit(gain, choice) for gain, choice in zip(gains, _held_out(people), strict=True)]
    is_decided = np.array([np.ptp(gain) > 1e-9 for gain in gains])
    for size in track(sizes, "Implicit accuracy", console=console, disable=not console):
        found = _cells(IMPLICIT, size, credits(policy, [p.seen(size) for p in people], people), people, seed)
        yield found
        yield replace(found.where(is_decided), metric=DECIDED)
        yield replace(found, metric=LIMIT, value=np.array(limit))
        if size:
            turned = credits(policy, [p.reversed(size) for p in people], people)
            yield _cells(FLIPPED, size, turned, people, seed)


def credits(
    policy: Policy, contexts: Sequence[Sequence[Choice]], people: Sequence[HeldOutUser]
) -> list[float]:
    """Credit, 0-1, on each held-out choice of all people, each predicted from a context."""
    known = policy.for_users(contexts)
    flat = [(one, choice) for one, person in zip(known, people, strict=True) for choice in person.others]
    found = []
    for start in range(0, len(flat), _AT_ONCE):
        part = flat[start : start + _AT_ONCE]
        scores = policy.score_batch(
            [one for one, _ in part],
            [choice.prompt for _, choice in part],
            [choice.options for _, choice in part],
        )
        found += [_credit(score.reward, choice) for score, (_, choice) in zip(scores, part, strict=True)]
    return found


def true_gains(judge: SandboxRater, people: Sequence[HeldOutUser]) -> list[Float[np.ndarray, " k"]]:
    """How good each option of each held-out choice is to the person, by the levels that it was made with."""
    gains = []
    for person, taste in zip(people, judge.tastes(people), strict=True):
        for choice in person.others:
            # The sign of a measure is the level that a response was composed with.
            measured = judge.measure([choice.prompt] * len(choice.options), [str(o) for o in choice.options])
            gains.append(np.sign(measured) @ taste)
    return gains


def _credit(rewards: np.ndarray, choice: Choice) -> float:
    places = np.array([choice.outcome.places(len(choice.options))])
    probabilities = torch.as_tensor(rewards).softmax(-1).numpy()
    return float(correctness(probabilities[None], places, SAME_OF_TEXT)[0])


def _held_out(people: Sequence[HeldOutUser]) -> list[Choice]:
    return [choice for person in people for choice in person.others]


def _cells(
    metric: str, size: int, credit: Sequence[float], people: Sequence[HeldOutUser], seed: int
) -> GridNumbers:
    counts = [len(person.others) for person in people]
    prompts = np.array([repr(choice.prompt) for choice in _held_out(people)])
    return GridNumbers(
        metric,
        size,
        np.array(credit),
        np.repeat([person.number for person in people], counts),
        np.unique(prompts, return_inverse=True)[1],
        np.repeat(np.array([person.group for person in people], object), counts),
        np.full(len(credit), seed),
        np.ones(len(credit)),
        {"unseen": people[0].group},
    )
