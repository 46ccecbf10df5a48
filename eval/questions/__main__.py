"""Whether asking pays: `python -m eval.questions --run RUN`, accuracy by number of questions, by replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from eval.questions.limit import rivals_of, rows_of_the_limit
from fsa.cli.recipes import run_recipe
from fsa.episodes.dataset import collate
from fsa.episodes.sampler import EpisodeRows
from fsa.errors import ConfigError
from fsa.outputs.reward_model import RewardModel
from fsa.questions.acquisition import Acquisition
from fsa.questions.atoms import atoms_of
from fsa.questions.information_gain import InformationGain
from fsa.questions.least_certain import LeastCertain
from fsa.questions.predictive_gain import PredictiveGain
from fsa.questions.question import used
from fsa.recipes.measuring.predictions import Predictions, predict
from fsa.recipes.measuring.rows import rows_of
from fsa.recipes.measuring.runs import Method, Run, Settings, named, opened
from fsa.reports.intervals import paired_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run
from fsa.settings import Range
from fsa.types import ChoiceBatch

RANDOM = "at random"
WAYS: dict[str, Acquisition | None] = {
    RANDOM: None,
    "predictive gain": PredictiveGain(),
    "information gain": InformationGain(),
    "least certain": LeastCertain(),
}
_AT_ONCE = 64  # episodes


def questions(
    run: list[str],
    sizes: list[int] = [0, 1, 3, 5, 10],  # noqa: B006 (never changed; jsonargparse shows it)
    pool: int = 15,
    out: str = "runs/questions",
    episodes: int = 500,
    **measuring: Any,
) -> Report:
    """Ask people who have answered already: the pool of questions is their own choices, targets apart.

    At every step the pair of the pool whose answer is worth most is asked, and its answer is the one that the
    person gave; beside it, pairs taken at random, from the same pool, for the same targets. Writes
    OUT/report.json, report.md and a plot; rows `asked_over_random` are paired differences of accuracy, those
    `asked_over_10_random` compare with ten taken at random. Where it is known how the choices were made,
    `Bayes limit` asks and predicts by that rule: a model has to learn it first.

    Args:
        run: Run folder; a quoted glob is one method whose folders are its seeds. May be given several times.
        sizes: Numbers of questions, for example 0,1,3,5,10.
        pool: Most choices of a person that may be asked about; what is left of theirs is predicted.
        out: Folder of the report.
        episodes: Episodes; people take turns.
        measuring: See `Settings`.

    Raises:
        ConfigError: There is no such run or split, the pool is smaller than the questions, or a choice is
            among more than two.
    """
    Range(at_least=max(sizes)).check("pool", pool)
    settings = Settings([pool], episodes=episodes, **measuring)
    rows: list[Row] = []
    for method in named(run):
        rows += _of_method(method, settings, sorted(set(sizes)))
    about = about_this_run("eval.questions", split=settings.split, seed=settings.seed, pool=pool)
    report = Report(rows, about)
    report.save(Path(out))
    report.print_tables(Console(), ("accuracy", "asked_over_random", "asked_over_10_random"))
    return report


def _of_method(method: Method, settings: Settings, sizes: list[int]) -> list[Row]:
    known: dict = {}
    runs = [opened(folder, settings, known) for folder in method.runs]
    at = runs[0].at
    found: dict[tuple[str, int], tuple[Predictions, NDArray[np.int64]]] = {}
    for way, acquisition in WAYS.items():
        each: dict[int, list[Predictions]] = {size: [] for size in sizes}
        for one in runs:
            asked = at.episodes if acquisition is None else in_order(one, acquisition, max(sizes))
            for size in sizes:
                seen = asked.with_context(size)
                each[size].append(predict(one.model, at.table, one.features, seen, at.truth, one.tokens))
        for size, parts in each.items():
            seeds = np.repeat([one.seed for one in runs], [len(part.user) for part in parts])
            found[way, size] = Predictions.concatenate(parts), seeds
    rows = []
    for (way, size), (predictions, seeds) in found.items():
        rows += rows_of(predictions, seeds, at, f"{method.name}, {way}", size)
        if way == RANDOM:
            continue
        for metric, other in rivals_of(size, sizes).items():
            rival, _ = found[RANDOM, other]
            units = [predictions.prompt] if at.fixed_users else [predictions.user, predictions.prompt]
            gain = paired_interval(predictions.correct, rival.correct, units, seeds=seeds)
            rows.append(Row.of(gain, at.name, f"{method.name}, {way}", "all", size, metric))
    if at.truth is not None and not at.truth.tie_weight:  # pairs without ties: an outcome is one of two
        rows += rows_of_the_limit(at, sizes)
    return rows


def in_order(run: Run, acquisition: Acquisition, count: int) -> EpisodeRows:
    """The same episodes, each context in the order in which its first choices would be asked about."""
    episodes = run.at.episodes
    starts = range(0, len(episodes.index), _AT_ONCE)
    orders = [_asked(run, episodes.part(slice(s, s + _AT_ONCE)), acquisition, count) for s in starts]
    width = max(order.shape[1] for order in orders)
    padded = [np.pad(o, ((0, 0), (0, width - o.shape[1])), constant_values=-1) for o in orders]
    return replace(episodes, context=np.concatenate(padded))


@torch.no_grad()
def _asked(run: Run, episodes: EpisodeRows, acquisition: Acquisition, count: int) -> NDArray[np.int64]:
    """Rows of the pools, those asked about first [b, at most count]."""
    pool = collate(episodes, run.at.table, run.features.double(), None, 1).context
    if pool.features.shape[2] > 2 and pool.option_mask[:, :, 2:].any():
        raise ConfigError("questions are pairs; a choice of this data is among more than two")
    left, order = pool.mask.clone(), list[list[int]]()
    for _ in range(min(count, left.shape[1])):
        taken = torch.tensor(order, dtype=torch.long).reshape(-1, len(left)).T  # [b, asked]
        first, weight = _chances(run.model, pool, taken)
        worth = torch.stack(
            [used(acquisition, weight[b]).worth(first[:, b], weight[b]) for b in range(len(left))]
        )
        best = torch.where(left, worth, -torch.inf).argmax(-1)
        order.append(best.tolist())
        left[torch.arange(len(left)), best] = False
    rows = np.take_along_axis(episodes.context, np.array(order).T.reshape(len(left), -1), 1)
    # Where a pool is used up, what comes next is padding or was asked before.
    once = np.ones(rows.shape, bool)
    once[:, 1:] = np.stack([~(rows[:, i : i + 1] == rows[:, :i]).any(1) for i in range(1, rows.shape[1])], 1)
    return np.where(once, rows, -1)


def _chances(
    model: RewardModel, pool: ChoiceBatch, taken: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Probability that the first of each pair is picked at each atom [s, b, n], and the atoms' weights."""
    some = torch.arange(len(taken)).unsqueeze(-1)
    belief = model.encoder(
        ChoiceBatch(pool.features[some, taken], pool.places[some, taken], pool.rows[some, taken])
    )
    each = [atoms_of(belief.of_user(b)) for b in range(len(taken))]
    most = max(len(weight) for _, weight in each)
    atoms = [latents.expand(most, -1, -1) if len(latents) == 1 else latents for latents, _ in each]
    scores = model.scorer(pool, torch.cat(atoms, 1), belief)
    best = model.likelihood.best(scores, pool.option_mask)
    first = best[..., 0] / (best[..., 0] + best[..., 1]).clamp(min=1e-9)
    return first, [
        weight if len(weight) == most else weight.new_full((most,), 1 / most) for _, weight in each
    ]


if __name__ == "__main__":
    run_recipe(questions, repeatable=["run"])
