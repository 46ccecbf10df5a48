"""Gaussian beside point beliefs, and whether their doubt is right: `python -m eval.beliefs`."""

from __future__ import annotations

import math
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

from fsa.choices.sandbox import Sandbox
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.encoders.deep_set import DeepSet
from fsa.episodes.dataset import collate
from fsa.episodes.sampler import EpisodeRows
from fsa.errors import ConfigError
from fsa.models.bilinear import Bilinear
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.rows import measured, rows_of
from fsa.recipes.measuring.runs import Data, Method, Run, Settings, opened
from fsa.recipes.reward import train_reward
from fsa.reports.intervals import mean_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import CONFIG_YAML, WEIGHTS, about_this_run, read_yaml

COVERAGE = "coverage_share"
"""Metric: pairs whose true log-odds lie inside the central 90 % interval of the belief, a fraction."""

_REWARD = "configs/reward/"
_DATA = {
    "synthetic": (_REWARD + "synthetic.yaml",),
    "sandbox, types": (_REWARD + "outcomes/sandbox.yaml",),
    "sandbox, continuous": (_REWARD + "outcomes/sandbox.yaml", _REWARD + "outcomes/continuous.yaml"),
}
_BELIEFS = {"point": (), "Gaussian": (_REWARD + "outcomes/gaussian.yaml",)}
_NORMAL_95 = 1.6449  # 95th percentile of the standard normal: both sides leave out 10 %
# What means and doubts are multiplied by to find out which explain held-out choices best.
_MEAN_FACTORS = (1.0, 1.4, 2.0, 2.8, 4.0)
_DOUBT_FACTORS = (0.5, 0.7, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 2.8, 3.4, 4.0, 5.6)
_SAMPLES = 1000  # few samples of a wide belief miss where a user's choices are likely: it would look bad


def beliefs(
    seeds: int = 1,
    context_sizes: list[int] = [1, 3, 10],  # noqa: B006
    episodes: int = 1000,
    split: str = "test",
    only: str = "",
    reuse: bool = False,
    out: str = "runs/beliefs",
) -> Report:
    """Train point and Gaussian beliefs, and report NLL, calibration error, and what the doubt covers.

    A true preference is known on the sandbox: the log-odds by which a user's own taste prefers one option of
    a pair. Its 90 % interval is mean +- 1.645 std of the difference of two rewards over the belief; being
    monotone, the probability is inside where the log-odds are. With continuous tastes log-odds are any
    number; types allow three, which a single normal cannot cover sharply: both are reported. Means and doubts
    are fitted on the validation split: see `stretch` and `widen`.

    Args:
        seeds: Trainings of each.
        context_sizes: Choices seen.
        episodes: Test episodes; people take turns.
        split: Which split to measure on: `validation` while choosing, `test` once.
        only: Only data whose name holds this text.
        reuse: Use the runs that are there already, and train the others only.
        out: Folder of the runs and the report.
    """
    folder, rows = Path(out), list[Row]()
    settings = Settings(context_sizes, split, episodes, 20, seed=1)
    factors: dict[str, list[float]] = {}
    for name, configs in _DATA.items():
        known: dict[str, Data] = {}
        for belief, overlay in _BELIEFS.items() if only in name else ():
            runs = [
                folder / f"{re.sub('[^a-z]+', '-', name)}-{belief.lower()}-{seed}" for seed in range(seeds)
            ]
            for seed, run in enumerate(runs):
                if not (reuse and (run / WEIGHTS).exists()):
                    _train(run, (*configs, *overlay), seed)
            has_truth = belief == "Gaussian" and "sandbox" in name
            found: list[Row] = []
            if has_truth:
                runs = [_copied(run) for run in runs]
                factors |= {run.name: [*stretch(run, settings)] for run in runs}
                found += _coverage("Gaussian, fitted to choices alone", runs, settings, known)
                for run in runs:
                    factors[run.name].append(widen(run, settings))
                found += _coverage(belief, runs, settings, known)
            for size, predictions, of_seed, at in measured(Method(belief, tuple(runs)), settings, known):
                found += rows_of(predictions, of_seed, at, belief, size)
            rows += [replace(row, data=name) for row in found]
    command = "python -m eval.beliefs " + shlex.join(sys.argv[1:])
    report = Report(rows, about_this_run(command=command, split=split, episodes=episodes, stretched=factors))
    report.save(folder)
    report.print_tables(Console(), metrics=("nll", "ece", "accuracy", COVERAGE))
    return report


def _train(run: Path, configs: tuple[str, ...], seed: int) -> None:
    given = [part for path in configs for part in ("--config", path)]
    quiet = ["--loop.progress", "false", "--overwrite", "true"]
    run_recipe(train_reward, [*given, *quiet, "--seed", str(seed), "--out", str(run)])


def stretch(run: Path, settings: Settings) -> tuple[float, float]:
    """Multiply a run's belief means and doubts by what explains validation choices best; returns both.

    Training on single targets hardly says how wide a belief is: p(target) = E sigmoid(gap) is much the same
    for a sure small gap and a doubtful large one. Several targets of one user say: they share the latent. So
    the factors maximise log E_z prod p(target | z) of validation users after 1 to 10 choices; no true taste
    is looked at.

    Raises:
        ConfigError: The model is not a DeepSet with a Bilinear head, whose last weights take the factors.
    """
    opened_run = opened(run, replace(settings, split="validation", episodes=300), {})
    parts = [_joint_parts(opened_run, size) for size in settings.context_sizes]
    tried = {
        (a, t): sum(_joint_log_prob(part, a, t) for part in parts)
        for a, t in product(_MEAN_FACTORS, _DOUBT_FACTORS)
    }
    best = max(tried, key=lambda factors: tried[factors])
    fold(opened_run.model, *best)
    opened_run.model.save_pretrained(run)
    return best


def widen(run: Path, settings: Settings) -> float:
    """Multiply a run's doubts so that 90 % of the true log-odds of validation pairs are inside; the factor.

    Choices know of doubt about the user alone, not of what features miss about texts. Only where true tastes
    are known can this be fitted: one factor for all context sizes, on other people and prompts than tested.
    """
    opened_run = opened(run, replace(settings, split="validation"), {})
    sandbox, errors = sandbox_of(run), []
    for size in settings.context_sizes:
        found = log_odds(opened_run, sandbox, opened_run.at.episodes.with_context(size))
        errors.append(np.abs(found.true - found.mean) / (_NORMAL_95 * found.std))
    factor = float(np.quantile(np.concatenate(errors), 0.9))
    fold(opened_run.model, 1.0, factor)
    opened_run.model.save_pretrained(run)
    return factor


@torch.no_grad()
def fold(model: RewardModel, mean: float, doubt: float) -> None:
    """Multiply what a belief's mean and std do to rewards; the std of the empty belief stays 1.

    Raises:
        ConfigError: The model is not a DeepSet with a Bilinear head.
    """
    encoder, scorer = model.encoder, model.scorer
    if not isinstance(encoder, DeepSet) or not isinstance(scorer, Bilinear):
        raise ConfigError(
            f"factors fold into a DeepSet and a Bilinear head, came {type(encoder).__name__} and "
            f"{type(scorer).__name__}"
        )
    last = encoder.mean[-1]
    assert isinstance(last, nn.Linear)
    scorer.taste.weight.mul_(doubt)
    last.weight.mul_(mean / doubt)


@torch.no_grad()
def _joint_parts(run: Run, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Margins of the chosen over the other option: shared, by mean [b n], by doubt [s b n]; and the mask."""
    episodes = run.at.episodes.with_context(size)
    batch = collate(replace(episodes, target=episodes.target[:, :10]), run.at.table, run.features.double())
    belief = run.model.encoder(batch.context)
    noise = torch.randn(_SAMPLES, *belief.mean.shape, generator=torch.Generator().manual_seed(0))
    z = torch.cat([torch.zeros_like(belief.mean)[None], belief.mean[None], belief.sample(noise)])
    scores = run.model.scorer(batch.target, z, belief)[..., 0]
    sign = 1.0 - 2.0 * (batch.target.places[..., 0] > 0)
    margin = sign * (scores[..., 0] - scores[..., 1])  # [2 + s, b, n]
    return margin[0], margin[1] - margin[0], margin[2:] - margin[1], batch.target.mask


def _joint_log_prob(parts: tuple[Tensor, Tensor, Tensor, Tensor], mean: float, doubt: float) -> float:
    """Mean log-probability of all of a user's targets together, in nats."""
    shared, by_mean, by_doubt, mask = parts
    each = functional.logsigmoid(shared + mean * by_mean + doubt * by_doubt)
    joint = torch.where(mask, each, 0).sum(-1)  # [s, b]
    return float((joint.logsumexp(0) - math.log(len(joint))).mean())


def _copied(run: Path) -> Path:
    """A copy of a run folder to fit factors in, so that the run itself stays as it was trained."""
    copy = run.with_name(run.name + "-fitted")
    shutil.rmtree(copy, ignore_errors=True)
    return Path(shutil.copytree(run, copy, ignore=shutil.ignore_patterns("checkpoints")))


def _coverage(belief: str, runs: list[Path], settings: Settings, known: dict[str, Data]) -> Iterator[Row]:
    """How often the truth is inside, at each context size."""
    for size in settings.context_sizes:
        inside, labels, of_seed = [], [], []
        for folder in runs:
            run = opened(folder, settings, known)
            episodes = run.at.episodes.with_context(size)
            found = log_odds(run, sandbox_of(folder), episodes)
            inside.append(is_inside(found.true, found.mean, found.std))
            labels.append(np.stack([found.user, found.prompt]))
            of_seed.append(np.full(len(found.true), run.seed))
        by, seeds = np.concatenate(labels, 1), np.concatenate(of_seed)
        i = mean_interval(np.concatenate(inside).astype(float), [by[0], by[1]], seeds=seeds)
        yield Row.of(i, "sandbox", belief, "all", size, COVERAGE)


@dataclass(frozen=True)
class LogOdds:
    """By how many nats users prefer the first option of pairs to the second, truly and as believed.

    Attributes:
        true: By the user's own taste [n].
        mean, std: Of the difference of the two rewards over the belief [n].
        user, prompt: Numbers of the table [n].
    """

    true: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    std: Float[np.ndarray, " n"]
    user: Int[np.ndarray, " n"]
    prompt: Int[np.ndarray, " n"]


@torch.no_grad()
def log_odds(run: Run, sandbox: Sandbox, episodes: EpisodeRows) -> LogOdds:
    """True and believed log-odds of every target pair of some episodes."""
    batch = collate(episodes, run.at.table, run.features.double())
    belief = run.model.encoder(batch.context)
    rewards = run.model.scorer(batch.target, run.model.latents(belief), belief)[..., 0]  # [s, b, n, 2]
    gap = (rewards[..., 0] - rewards[..., 1])[:, batch.target.mask].numpy()  # [s, n]
    is_target = batch.target.mask.numpy()
    rows = episodes.target[is_target]
    user = np.broadcast_to(episodes.user[:, None], is_target.shape)[is_target]
    true = true_log_odds(sandbox, run.at.table, rows)
    return LogOdds(true, gap.mean(0), gap.std(0), user, run.at.table.prompt[rows])


def true_log_odds(
    sandbox: Sandbox, table: ChoiceTable, rows: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """By how many nats the users of these rows prefer the first option to the second."""
    weights, _ = sandbox.tastes.users(sandbox.num_users, sandbox.seed)
    number = np.array([int(name.removeprefix("user-")) for name in table.users.to_pylist()])
    pair = table.option[table.option_offsets[rows][:, None] + np.arange(2)]
    levels = sandbox.attributes(table)[pair]  # [n, 2, a]
    of_user = weights[number[table.user[rows]]]
    return sandbox.taste_scale * np.einsum("na,na->n", levels[:, 0] - levels[:, 1], of_user)


def is_inside(
    true: Float[np.ndarray, " n"], mean: Float[np.ndarray, " n"], std: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Whether the truth lies in the central 90 % of a normal."""
    return np.abs(true - mean) <= _NORMAL_95 * std


def sandbox_of(folder: Path) -> Sandbox:
    """The source of a run folder, which has to be a sandbox."""
    return Sandbox(**read_yaml(folder / CONFIG_YAML)["source"].get("init_args", {}))


if __name__ == "__main__":
    run_recipe(beliefs)
