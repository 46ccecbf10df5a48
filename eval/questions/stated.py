"""What a statement is worth: `python -m eval.questions.stated --run RUN`, beside choices and alone."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from eval.beliefs import sandbox_of
from fsa.choices.sandbox import ATTRIBUTES, Sandbox
from fsa.cli.recipes import run_recipe
from fsa.episodes.dataset import collate
from fsa.errors import ConfigError
from fsa.judge.scores import AttributeScores, Probe
from fsa.likelihoods.likelihood import predicted
from fsa.metrics.choice_accuracy import correctness
from fsa.outputs.history import History
from fsa.outputs.reading import choice_batch
from fsa.outputs.statements import STRENGTH, Bank
from fsa.recipes.measuring.runs import Data, Run, Settings, opened
from fsa.reports.intervals import mean_interval, paired_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run
from fsa.types import ChoiceBatch

_CHOICES, _STATEMENT, _BOTH, _FALSE = "choices alone", "statement alone", "both", "both, the statement false"
_BANK = 40  # prompts
_LIKED = 0.5  # least weight, of a taste of length 1, of an attribute that a person speaks of


def stated(
    run: list[str],
    sizes: list[int] = [0, 1, 3, 10],  # noqa: B006 (never changed; jsonargparse shows it)
    strength: float = STRENGTH,
    out: str = "runs/stated",
    split: str = "test",
    episodes: int = 500,
    max_targets: int = 20,
    seed: int = 1,
) -> Report:
    """People of the sandbox say what they like, truly or the opposite, and make choices.

    A statement names each attribute that makes up half of the person's taste or more, or else the strongest
    one, as "high" or "low"; what that means is told by a bank of responses to other prompts. Writes
    OUT/report.json, report.md and a plot; `over_choices` and `over_statement` are paired differences of
    accuracy.

    Args:
        run: Run folders of the sandbox, which are seeds of one method.
        sizes: Numbers of choices seen.
        strength: Choices that a statement counts as much as; see `Bank`.
        out: Folder of the report.
        split: Which split to measure on.
        episodes: Episodes; people take turns.
        max_targets: Most choices predicted per episode.
        seed: Seed of the episodes.

    Raises:
        ConfigError: A run is not of the sandbox, whose tastes are known.
    """
    settings, known = Settings(sizes, split, episodes, max_targets, seed), dict[str, Data]()
    found = dict[tuple[str, int], list[NDArray[np.float64]]]()
    runs = [opened(Path(folder), settings, known) for folder in run]
    for folder, one in zip(run, runs, strict=True):
        sandbox = sandbox_of(Path(folder))
        if sandbox is None:
            raise ConfigError(f"--run {folder}: only of the sandbox's people are tastes known")
        said = _Said(one, sandbox, strength)
        for size in settings.context_sizes:
            for method, correct in said.after(size):
                found.setdefault((method, size), []).append(correct)
    rows = list(_rows(runs, found, settings.context_sizes))
    command = "python -m eval.questions.stated " + shlex.join(sys.argv[1:])
    report = Report(rows, about_this_run(command=command, split=split, seed=seed, strength=strength))
    report.save(Path(out))
    report.print_tables(Console(), ("accuracy", "over_choices", "over_statement"))
    return report


class _Said:
    """Statements of the people of a run's episodes, and what comes of them.

    Args:
        run: The run.
        sandbox: Its source.
        strength: Of statements.
    """

    def __init__(self, run: Run, sandbox: Sandbox, strength: float) -> None:
        self.run, self.strength = run, strength
        self.bank = _bank(run, sandbox, strength)
        self.weights = sandbox.tastes.users(sandbox.num_users, sandbox.seed)[0]

    @torch.no_grad()
    def after(self, size: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Credit for each target, by method, after some choices."""
        at = self.run.at
        episodes = at.episodes.with_context(size)
        batch = collate(episodes, at.table, self.run.features.double())
        people = [int(at.table.users[user].as_py().removeprefix("user-")) for user in episodes.user]
        nothing = collate(at.episodes.with_context(0), at.table, self.run.features.double()).context
        seen = (episodes.context >= 0).sum(1)
        for method, context, truth in (
            (_CHOICES, batch.context, 0),
            (_STATEMENT, nothing, 1),
            (_BOTH, batch.context, 1),
            (_FALSE, batch.context, -1),
        ):
            if truth:
                after = seen if context is batch.context else 0 * seen
                context = self._with_statement(context, truth * self.weights[people], after)
            belief = self.run.model.encoder(context)
            predictive = self.run.model.predictive(batch.target, belief)
            best, _ = predicted(self.run.model.likelihood, predictive, batch.target)
            here = batch.target.mask.numpy()
            yield method, correctness(best.numpy()[here], batch.target.places.numpy()[here])

    def _with_statement(
        self, context: ChoiceBatch, tastes: Float[np.ndarray, "b a"], seen: NDArray[np.int64]
    ) -> ChoiceBatch:
        """Contexts with what people of these tastes say of them, after as many choices."""
        said = [self._statement(taste, int(number)) for taste, number in zip(tastes, seen, strict=True)]
        counts = context.mask.double()
        return ChoiceBatch(
            torch.cat([context.features, torch.stack([one.features[0] for one in said])], 1),
            torch.cat([context.places, torch.stack([one.places[0] for one in said])], 1),
            torch.cat([context.rows, torch.stack([one.rows[0] for one in said])], 1),
            weight=torch.cat([counts, torch.stack([_weight(one)[0] for one in said])], 1),
        )

    def _statement(self, taste: Float[np.ndarray, " a"], seen: int) -> ChoiceBatch:
        history = History(stated=self.bank.evidence(statement(taste)))
        return choice_batch(self.run.model, [history])


def statement(taste: Float[np.ndarray, " a"]) -> Mapping[str, str]:
    """What a person of a taste says: "high" or "low" of each attribute that counts."""
    counts = np.abs(taste) >= min(_LIKED, float(np.abs(taste).max()))
    return {
        name: "high" if liked > 0 else "low"
        for name, liked, speaks in zip(ATTRIBUTES, taste, counts, strict=True)
        if speaks
    }
