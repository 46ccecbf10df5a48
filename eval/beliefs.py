"""Whether a model's doubt is right: `python -m eval.beliefs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from rich.console import Console
from torch import nn

from fsa.choices.sandbox import Sandbox
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.encoders.encoder import ContextEncoder
from fsa.episodes.dataset import collate
from fsa.models.taste_reward import TasteReward
from fsa.recipes.measuring.bayes import BayesPredictor
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.recipes.measuring.rows import rows_of
from fsa.recipes.measuring.runs import Data, Run, Settings, opened, source_and_splits
from fsa.reports.intervals import EXCESS, excess_interval, mean_interval, paired_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import CONFIG_YAML, about_this_run, read_yaml
from fsa.types import Belief, ChoiceBatch
from train.reward import train_run

COVERAGE, GAIN = "coverage_share", "nll_whole_minus_mean"
"""Metrics: pairs whose true log-odds lie inside the middle 90 % of the belief, a fraction; nats that the
whole belief costs more than its mean alone."""

_DATA = {
    "sandbox, types": ["--config", "configs/reward/sandbox.yaml"],
    "sandbox, continuous": ["--config", "configs/reward/sandbox.yaml", "--source.tastes", "continuous"],
}
_PEOPLE = ["--config", "configs/reward/choices.yaml", "--splits.fractions", "[0.6,0.2,0.2]"]
_ENDINGS = (".jsonl", ".jsonl.gz")
_WHOLE, _MEAN, _BAYES = "whole belief", "its mean alone", "Bayes limit"
_EPISODES_AT_ONCE = 50  # tastes may be many
_ROUNDING = 1e-9


class MeanAlone(ContextEncoder):
    """An encoder whose belief is reduced to its mean: a point.

    Args:
        encoder: The encoder.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, choices: ChoiceBatch) -> Belief:
        belief: Belief = self.encoder(choices)
        return replace(Belief.point(belief.mean), seen=belief.seen)


def beliefs(
    data: str | None = None,
    seeds: int = 3,
    context_sizes: list[int] = [1, 3, 10],  # noqa: B006 (never changed; jsonargparse shows it)
    episodes: int = 1000,
    split: str = "test",
    only: str = "",
    reuse: bool = False,
    out: str = "runs/beliefs",
) -> Report:
    """Train the default, and report whether its intervals and probabilities can be believed.

    On the sandbox a true preference is known: the log-odds by which a person's own taste prefers one option
    of a pair. The middle 90 % of the belief should hold it nine times in ten. Everywhere, the error of
    probabilities is compared with that of a perfectly calibrated model with as many predictions, and the
    whole belief with its mean alone. Nothing is fitted to the truth.

    Args:
        data: Folder of files of choices of real people, .jsonl or .jsonl.gz, besides the sandbox.
        seeds: Trainings of each.
        context_sizes: Choices seen.
        episodes: Test episodes; people take turns.
        split: Which split to measure on: `validation` while choosing, `test` once.
        only: Only data whose name holds this text.
        reuse: Use the runs that are there already, and train the others only.
        out: Folder of the runs and the report.
    """
    folder, rows, counts = Path(out), list[Row](), {}
    settings = Settings(context_sizes, split, episodes, 20, seed=1)
    files = sorted(file for file in Path(data or ".").iterdir() if data and file.name.endswith(_ENDINGS))
    of_people = {file.name.split(".")[0]: [*_PEOPLE, "--source.path", str(file)] for file in files}
    for name, given in (_DATA | of_people).items():
        if only not in name:
            continue
        runs = [folder / f"{re.sub('[^a-z]+', '-', name)}-{seed}" for seed in range(seeds)]
        for seed, run in enumerate(runs):
            train_run(run, *given, seed=seed, reuse=reuse)
        known: dict[str, Data] = {}
        found = [opened(run, settings, known) for run in runs]
        sandbox = sandbox_of(runs[0])
        for size in settings.context_sizes:
            rows += [replace(row, data=name) for row in _rows(found, size)]
            rows += [replace(row, data=name) for row in _coverage(found, sandbox, size)] if sandbox else []
        counts[name] = found[0].at.counts(settings.context_sizes)
    about = about_this_run("eval.beliefs", split=split, episodes=episodes, counts=counts)
    report = Report(rows, about)
    report.save(folder)
    report.print_tables(Console(), metrics=("nll", GAIN, "ece", EXCESS, "accuracy", COVERAGE))
    return report


def _rows(runs: list[Run], size: int) -> Iterator[Row]:
    """Every metric of the whole belief and of its mean, and their difference."""
    at, each = runs[0].at, {}
    for method in (_WHOLE, _MEAN):
        parts = [_predicted(run, size, method == _MEAN) for run in runs]
        seeds = np.repeat([run.seed for run in runs], [len(part.user) for part in parts])
        each[method] = found = Predictions.concatenate(parts)
        yield from rows_of(found, seeds, at, method, size)
        told = ~np.isnan(found.correct)
        by = [found.user[told], found.prompt[told]]
        excess = excess_interval(found.confidence[told], found.correct[told], by, seeds=seeds[told])
        yield Row.of(excess, at.name, method, "all", size, EXCESS)
    whole, mean = each[_WHOLE], each[_MEAN]
    gain = paired_interval(whole.nll, mean.nll, [whole.user, whole.prompt], seeds=seeds)
    yield Row.of(gain, at.name, _WHOLE, "all", size, GAIN)


def _predicted(run: Run, size: int, mean_alone: bool) -> Predictions:
    if not mean_alone:
        return run.predict(size)
    encoder = run.model.encoder
    run.model.encoder = MeanAlone(encoder)
    try:
        return predict(run.model, run.at.table, run.features, run.at.episodes.with_context(size))
    finally:
        run.model.encoder = encoder


def _coverage(runs: list[Run], sandbox: Sandbox, size: int) -> Iterator[Row]:
    """How often the truth is inside."""
    found = [log_odds(run, sandbox, size) for run in runs]
    seeds = np.repeat([run.seed for run in runs], [len(part.true) for part in found])
    inside = np.concatenate([part.is_inside for part in found]).astype(float)
    by = [np.concatenate([part.user for part in found]), np.concatenate([part.prompt for part in found])]
    yield Row.of(mean_interval(inside, by, seeds=seeds), "sandbox", _WHOLE, "all", size, COVERAGE)
    best = bayes_log_odds(runs[0].at, sandbox, size)
    inside = best.is_inside.astype(float)
    yield Row.of(mean_interval(inside, [best.user, best.prompt]), "sandbox", _BAYES, "all", size, COVERAGE)


@dataclass(frozen=True)
class LogOdds:
    """By how many nats people prefer the first option of pairs to the second, truly and as believed.

    Attributes:
        true: By the person's own taste [n].
        low, high: Ends of the middle 90 % of what is believed [n].
        user, prompt: Numbers of the table [n].
    """

    true: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    user: Int[np.ndarray, " n"]
    prompt: Int[np.ndarray, " n"]

    @property
    def is_inside(self) -> np.ndarray:
        """Whether the truth lies between the ends [n]."""
        return (self.low <= self.true) & (self.true <= self.high)


@torch.no_grad()
def log_odds(run: Run, sandbox: Sandbox, size: int) -> LogOdds:
    """True and believed log-odds of every target pair of a run's episodes, after some choices."""
    episodes = run.at.episodes.with_context(size)
    batch = collate(episodes, run.at.table, run.features.double())
    first = replace(batch.target, places=torch.tensor([0, 1]).where(batch.target.option_mask, -1))
    scorer = run.model.scorer
    assert isinstance(scorer, TasteReward), "the default's, of whose rewards alone a spread is known"
    spread = scorer.spread_between(first, run.model.encoder(batch.context))
    is_target = batch.target.mask.numpy()
    rows = episodes.target[is_target]
    true = true_log_odds(sandbox, run.at.table, rows)
    low, high = (end.numpy()[is_target] for end in (spread.low, spread.high))
    return LogOdds(true, low, high, run.at.table.user[rows], run.at.table.prompt[rows])


def bayes_log_odds(at: Data, sandbox: Sandbox, size: int) -> LogOdds:
    """The same, as believed by Bayes' rule: what any honest interval comes to.

    Of a few kinds of people the middle 90 % holds more than that: a kind is in it whole or not at all.
    """
    assert at.truth is not None, "a sandbox knows its truth"
    table, predictor, parts = at.table, BayesPredictor(at.truth, at.table), list[LogOdds]()
    rewards = predictor.rewards.numpy()  # [m, t]
    episodes = at.episodes.with_context(size)
    for start in range(0, len(episodes.index), _EPISODES_AT_ONCE):
        part = episodes.part(slice(start, start + _EPISODES_AT_ONCE))
        of, place = np.nonzero(part.target >= 0)
        rows = part.target[of, place]
        pair = pairs_of(table, rows)
        weight = predictor.log_posterior(part.context).exp().numpy()[of]
        low, high = middle(rewards[pair[:, 0]] - rewards[pair[:, 1]], weight)
        true = true_log_odds(sandbox, table, rows)
        by = table.user[rows], table.prompt[rows]
        parts.append(LogOdds(true, low - _ROUNDING, high + _ROUNDING, *by))
    return LogOdds(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(LogOdds)))


def middle(
    values: Float[np.ndarray, "n t"], weight: Float[np.ndarray, "n t"], share: float = 0.9
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Ends of the middle of weighted values, by row: beyond either lies at most half of what is left."""
    order = np.argsort(values, 1)
    values, mass = np.take_along_axis(values, order, 1), np.take_along_axis(weight, order, 1).cumsum(1)
    tail, every = (1 - share) / 2, np.arange(len(values))
    low = values[every, (mass >= tail).argmax(1)]
    return low, values[every, (mass >= 1 - tail - _ROUNDING).argmax(1)]


def true_log_odds(
    sandbox: Sandbox, table: ChoiceTable, rows: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """By how many nats the users of these rows prefer the first option to the second."""
    weights, _ = sandbox.tastes.users(sandbox.num_users, sandbox.seed)
    levels = sandbox.attributes(table)[pairs_of(table, rows)]  # [n, 2, a]
    of_user = weights[numbers_of(table)[table.user[rows]]]
    return sandbox.taste_scale * np.einsum("na,na->n", levels[:, 0] - levels[:, 1], of_user)


def pairs_of(table: ChoiceTable, rows: Int[np.ndarray, " n"]) -> Int[np.ndarray, "n 2"]:
    """Items that these rows offer, two each."""
    return table.option[table.option_offsets[rows][:, None] + np.arange(2)]


def numbers_of(table: ChoiceTable) -> Int[np.ndarray, " u"]:
    """Numbers of a table's users in the sandbox that made them."""
    return np.array([int(name.removeprefix("user-")) for name in table.users.to_pylist()])


def sandbox_of(folder: Path) -> Sandbox | None:
    """The source of a run folder, where it is a sandbox, whose tastes are known."""
    source, _ = source_and_splits(read_yaml(folder / CONFIG_YAML))
    return source if isinstance(source, Sandbox) else None


if __name__ == "__main__":
    run_recipe(beliefs)
