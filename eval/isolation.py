"""A person's scores do not depend on other people's: `python -m eval.isolation --run RUN`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from rich.console import Console
from rich.table import Table

from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.errors import FsaError
from fsa.outputs.loading import load
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.runs import source_and_splits
from fsa.runs.folder import CONFIG_YAML, read_yaml
from fsa.settings import Range
from fsa.types import Choice, Numbers, Text

HEADS, LANGUAGE_MODELS = 1e-12, 1e-5
"""Nats that a score may be off: heads count in double precision, language models in single."""
_MOST_SEEN, _MOST_RESPONSES = 10, 4

Scored = dict[int, Float[np.ndarray, "2 k"]]


@dataclass(frozen=True)
class ScoringRequest:
    """A person as the model meets them: their choices, and what is scored for them."""

    choices: list[Choice]
    prompt: Text
    responses: list[Text | Numbers]


def isolation(
    run: str,
    people: int = 5000,
    at_once: int = 500,
    threads: int = 4,
    processes: int = 2,
    seed: int = 0,
    trust_remote_code: bool = False,
) -> float:
    """Score random people in batches, alone, in another order, in threads and in processes, and compare.

    A person is 0 to 10 choices drawn from all of the run's data, half of them turned round, and 1 to 4
    responses to score. Rewards and standard deviations are compared with those of the first way. Features of
    texts come out of the cache from the second time on.

    Args:
        run: Run folder of a reward model or a policy.
        people: Random people.
        at_once: People in a batch of the first way.
        threads: Threads that share the opened model.
        processes: Processes that open the run, each for itself.
        seed: Seed of the people and of the orders.
        trust_remote_code: Run parts of the run that are not fsa's own.

    Returns:
        The largest difference, in nats.

    Raises:
        FsaError: It is above 1e-12 for heads on features, or 1e-5 where a language model reads the responses.
    """
    for name, value in {
        "people": people,
        "at_once": at_once,
        "threads": threads,
        "processes": processes,
    }.items():
        Range(at_least=1).check(name, value)
    model, draw = load(run, trust_remote_code=trust_remote_code), np.random.default_rng(seed)
    source, _ = source_and_splits(read_yaml(Path(run) / CONFIG_YAML), trust_remote_code)
    people_asked, order = drawn(source.load(), people, draw), np.arange(people)
    first = scored(model, people_asked, order, at_once)
    here = partial(scored, model, people_asked)
    opened: dict[str, Any] = {"mp_context": get_context("spawn"), "initializer": _open}
    opened["initargs"] = (run, trust_remote_code)
    ways: dict[str, Callable[[], Scored]] = {
        "another order, 37 at once": lambda: here(draw.permutation(order), 37),
        "alone, in another order": lambda: here(draw.permutation(order), 1),
        f"{threads} threads": lambda: _shared_out(ThreadPoolExecutor(threads), here, order, threads),
        f"{processes} processes": lambda: _shared_out(
            ProcessPoolExecutor(processes, **opened), partial(_scored_there, people_asked), order, processes
        ),
    }
    table, console = Table("way", "largest difference, nats"), Console()
    differences = []
    for name, way in ways.items():
        differences.append(largest_difference(first, way()))
        table.add_row(name, f"{differences[-1]:.1e}")
    console.print(table)
    worst, bar = max(differences), LANGUAGE_MODELS if model.scorer.reads_tokens else HEADS
    largest = max(float(np.abs(one[0]).max()) for one in first.values())
    said = f"{people:,} people, {at_once} at once against all of these: at most {worst:.1e} apart"
    console.print(f"{said} (allowed: {bar:g}; largest reward: {largest:.1f})", soft_wrap=True)
    if not worst <= bar:
        raise FsaError(f"{run}: scores depend on who else is scored, by up to {worst:.1e} nats")
    return worst


def scored(
    model: RewardModel, people_asked: Sequence[ScoringRequest], numbers: Int[np.ndarray, " n"], at_once: int
) -> Scored:
    """Reward and standard deviation (0 of a point belief) of some people's responses, by their number."""
    found: Scored = {}
    for start in range(0, len(numbers), at_once):
        part = [int(number) for number in numbers[start : start + at_once]]
        asked = [people_asked[number] for number in part]
        people = model.for_users([one.choices for one in asked])
        scores = model.score_batch(people, [one.prompt for one in asked], [one.responses for one in asked])
        for number, one in zip(part, scores, strict=True):
            spread = np.zeros_like(one.reward) if one.stderr is None else one.stderr
            found[number] = np.stack([one.reward, spread])
    return found


def largest_difference(one: Scored, other: Scored) -> float:
    """Largest difference of any number, in nats; infinite where people differ or a number is not finite."""
    if one.keys() != other.keys():
        return float("inf")
    worst = float(np.max([np.abs(one[number] - other[number]).max() for number in one]))  # NaN is not hidden
    return worst if np.isfinite(worst) else float("inf")


def drawn(table: ChoiceTable, people: int, draw: np.random.Generator) -> list[ScoringRequest]:
    """Random people: a few choices of the table, half of them turned round, and responses to score."""
    found = []
    for _ in range(people):
        rows = draw.integers(len(table), size=draw.integers(_MOST_SEEN + 1))
        choices = [table.choice(int(row)) for row in rows]
        turned = [choice.reversed() if draw.integers(2) else choice for choice in choices]
        items = table.option[draw.integers(len(table.option), size=draw.integers(1, _MOST_RESPONSES + 1))]
        prompt = table.choice(int(draw.integers(len(table)))).prompt
        found.append(ScoringRequest(turned, prompt, [table.response(int(item)) for item in items]))
    return found


def _shared_out(
    pool: Executor, score: Callable[[np.ndarray, int], Scored], order: np.ndarray, workers: int
) -> Scored:
    """Scores of all people, a few parts for each worker."""
    parts = np.array_split(order, 4 * workers)
    with pool:
        jobs = [pool.submit(score, part, 50) for part in parts if len(part)]
        return {number: one for job in jobs for number, one in job.result().items()}


_opened: list[RewardModel] = []  # the model of a process that `_open` has started


def _open(run: str, trust_remote_code: bool) -> None:
    _opened.append(load(run, trust_remote_code=trust_remote_code))


def _scored_there(people_asked: Sequence[ScoringRequest], numbers: np.ndarray, at_once: int) -> Scored:
    return scored(_opened[0], people_asked, numbers, at_once)


if __name__ == "__main__":
    run_recipe(isolation)
