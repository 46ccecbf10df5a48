"""What a statement is worth: `python -m eval.questions.stated --run RUN`, beside choices and alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from rich.console import Console

from eval.beliefs import numbers_of, sandbox_of
from fsa.choices.sandbox import ATTRIBUTES, Sandbox
from fsa.cli.recipes import run_recipe
from fsa.episodes.dataset import collate
from fsa.errors import ConfigError
from fsa.judge.scores import AttributeScores, Probe
from fsa.likelihoods.likelihood import predicted
from fsa.metrics.choice_accuracy import correctness
from fsa.outputs.history import History
from fsa.outputs.reading import believed, choice_batch
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
    episodes: int = 500,
    **measuring: Any,
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
        episodes: Episodes; people take turns.
        measuring: See `Settings`.

    Raises:
        ConfigError: A run is not of the sandbox, whose tastes are known.
    """
    settings, known = Settings(sizes, episodes=episodes, **measuring), dict[str, Data]()
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
    about = {"split": settings.split, "seed": settings.seed, "strength": strength}
    report = Report(rows, about_this_run("eval.questions.stated", **about))
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
        self.run, self.bank = run, _bank(run.at, sandbox, strength)
        self.tastes = sandbox.tastes.users(sandbox.num_users, sandbox.seed)[0]
        self._read: dict[tuple[Any, ...], ChoiceBatch] = {}

    @torch.no_grad()
    def after(self, size: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Credit for each target, by method, after some choices."""
        at, model = self.run.at, self.run.model
        episodes = at.episodes.with_context(size)
        batch = collate(episodes, at.table, self.run.features.double())
        tastes = self.tastes[numbers_of(at.table)[episodes.user]]
        nothing = replace(batch.context, rows=torch.full_like(batch.context.rows, -1))
        for method, context in (
            (_CHOICES, batch.context),
            (_STATEMENT, self._and_said(nothing, tastes)),
            (_BOTH, self._and_said(batch.context, tastes)),
            (_FALSE, self._and_said(batch.context, -tastes)),
        ):
            predictive = model.predictive(batch.target, model.encoder(context))
            best, _ = predicted(model.likelihood, predictive, batch.target)
            here = batch.target.mask.numpy()
            yield method, correctness(best.numpy()[here], batch.target.places.numpy()[here])

    def _and_said(self, context: ChoiceBatch, tastes: Float[np.ndarray, "b a"]) -> ChoiceBatch:
        """Contexts with what people of these tastes say of them."""
        said = ChoiceBatch.of_users([self._said(taste) for taste in tastes])
        assert said.weight is not None, "a statement weighs its choices"
        both = ChoiceBatch(
            torch.cat([context.features, said.features], 1),
            torch.cat([context.places, said.places], 1),
            torch.cat([context.rows, said.rows], 1),
            weight=torch.cat([context.mask.double(), said.weight], 1),
        )
        is_said = torch.cat([torch.zeros_like(context.mask), said.mask], 1)
        return believed(self.run.model, both, is_said)

    def _said(self, taste: Float[np.ndarray, " a"]) -> ChoiceBatch:
        says = statement(taste)
        key = tuple(sorted(says.items()))
        if key not in self._read:
            self._read[key] = choice_batch(self.run.model, [History(stated=self.bank.evidence(says))])
        return self._read[key]


def _bank(at: Data, sandbox: Sandbox, strength: float) -> Bank:
    """Responses to prompts that nothing is predicted of, with the levels that they were written to have."""
    predicted = set(at.table.prompt.tolist())
    prompts = [number for number in range(sandbox.num_prompts) if number not in predicted][:_BANK]
    each = sandbox.responses_per_prompt
    levels = (sandbox.levels + 1) / 2
    probes, scores = [], []
    for number in prompts:
        items = list(range(number * each, (number + 1) * each))
        responses = tuple(at.whole.text(int(at.whole.item_response[item])) for item in items)
        probes.append(Probe(str(number), at.whole.text(int(at.whole.item_prompt[items[0]])), responses))
        scores.append(AttributeScores(tuple(ATTRIBUTES), levels[items].astype(float)))
    return Bank(tuple(probes), tuple(scores), strength)


def statement(taste: Float[np.ndarray, " a"]) -> Mapping[str, str]:
    """What a person of a taste says: "high" or "low" of each attribute that counts."""
    counts = np.abs(taste) >= min(_LIKED, float(np.abs(taste).max()))
    return {
        name: "high" if liked > 0 else "low"
        for name, liked, speaks in zip(ATTRIBUTES, taste, counts, strict=True)
        if speaks
    }


def _rows(
    runs: Sequence[Run], found: Mapping[tuple[str, int], list[NDArray[np.float64]]], sizes: Sequence[int]
) -> Iterator[Row]:
    at = runs[0].at
    rows = at.episodes.target[at.episodes.target >= 0]
    by = [np.tile(label, len(runs)) for label in (at.table.user[rows], at.table.prompt[rows])]
    seeds = np.repeat([run.seed for run in runs], len(rows))
    joined = {key: np.concatenate(parts) for key, parts in found.items()}
    for (method, size), correct in joined.items():
        yield Row.of(mean_interval(correct, by, seeds=seeds), at.name, method, "all", size, "accuracy")
    for size, method in product(sizes, (_BOTH, _FALSE)):
        for rival, metric in ((_CHOICES, "over_choices"), (_STATEMENT, "over_statement")):
            gain = paired_interval(joined[method, size], joined[rival, size], by, seeds=seeds)
            yield Row.of(gain, at.name, method, "all", size, metric)


if __name__ == "__main__":
    run_recipe(stated, repeatable=["run"])
