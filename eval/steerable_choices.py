"""A person's choices in place of a written target: `python -m eval.steerable_choices --data FOLDER`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from rich.console import Console

from eval.steerable.methods import Scored, method_of
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.judge.infer import TargetBelief, log_probabilities, prior
from fsa.judge.labelled import key_of, read_labelled
from fsa.judge.scores import AttributeScores, Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from fsa.judge.users import TargetUsers
from fsa.recipes.measuring.rows import measured
from fsa.recipes.measuring.runs import Data, Settings, named
from fsa.reports.intervals import mean_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run
from train.reward import train_run

_CONFIGS = ("configs/reward/helpsteer2.yaml", "configs/judge/users.yaml")
_POOLED = "configs/baseline/pooled.yaml"
_DATA = "people with a target"
POSTERIOR, MEAN, TRUE = "inferred target, posterior", "inferred target, its mean", "true target"


def steerable_choices(
    data: str,
    judge: str = "regressor",
    context_sizes: list[int] = [1, 3, 5, 10],  # noqa: B006
    seeds: int = 3,
    episodes: int = 1000,
    split: str = "test",
    reuse: bool = False,
    overlay: list[str] = [],  # noqa: B006
    out: str = "runs/steerable-choices",
) -> Report:
    """Infer each simulated person's target from a few choices, beside the true target, NP-BTL and pooled BTL.

    People have targets of one to five attributes and choose by people's ratings. The judge and NP-BTL learn
    from the train prompts; test people and test prompts are new to both. All methods see the same contexts.

    Args:
        data: Folder of `steerable_train.json` and `steerable_eval.json`.
        judge: A file of configs/judge (or its bare name) with a judge.
        context_sizes: Choices seen.
        seeds: Trainings of NP-BTL and pooled BTL.
        episodes: Test episodes; people take turns.
        split: `validation` while choosing settings, `test` once.
        reuse: Measure the runs that are there already.
        overlay: Configurations over those of NP-BTL and pooled BTL.
        out: Folder of the runs and the report.

    Raises:
        ConfigError: `judge` is no judge.
    """
    folder, rows = Path(out), list[Row]()
    for name, extra in (("np", []), ("pooled", [_POOLED])):
        configs = [f"--config={path}" for path in (*_CONFIGS, *overlay, *extra)]
        for seed in range(seeds):
            train_run(folder / f"{name}-{seed}", *configs, f"--source.path={data}", seed=seed, reuse=reuse)
    settings, known = Settings(context_sizes, split, episodes, 20, seed=1), dict[str, Data]()
    for method in named([f"NP-BTL={folder}/np-*", f"pooled BTL={folder}/pooled-*"]):
        for size, found, of_seed, at in measured(method, settings, known):
            rows += _rows(at, method.name, size, found.correct, found.row, found.user, of_seed)
    (at,) = known.values()
    labelled = read_labelled(Path(data) / "steerable_eval.json")
    train, test = TargetUsers(data).targets(labelled[0].labels.attributes)
    targets = [({**train, **test})[name] for name in at.table.users.to_pylist()]
    rows += _inferred(at, _scores(at.table, judge, data), targets, context_sizes)
    counts = {"people": at.table.num_users, "prompts": len(np.unique(at.table.prompt))}
    about = about_this_run("eval.steerable_choices", split=split, episodes=episodes, counts=counts)
    report = Report(rows, about)
    report.save(folder)
    report.print_tables(Console(), metrics=("accuracy", "level_error", "level_spread"))
    return report


def _scores(table: ChoiceTable, judge: str, data: str) -> list[AttributeScores]:
    """The judge's scores of the options of every choice [n], in the choice's order."""
    method, _ = method_of(judge)
    if not isinstance(method, Scored):
        raise ConfigError(f"--judge {judge}: must be a judge, came a language model that only chooses")
    method.learn(read_labelled(Path(data) / "steerable_train.json"))
    pairs, where = np.unique(table.option.reshape(-1, 2), axis=0, return_inverse=True)
    probes = []
    for pair in pairs:
        prompt = table.text(int(table.item_prompt[pair[0]]))
        responses = tuple(table.response(int(item)) for item in pair)
        probes.append(Probe(key_of(prompt, responses), prompt, responses))  # type: ignore[arg-type]
    scores = method.judge.score(probes, progress=True)
    return [scores[place] for place in where.reshape(-1)]


@dataclass(frozen=True)
class _Likelihoods:
    """Log-probability of each option of every different pair, under every target and sharpness [u, th, 2]."""

    values: Float[np.ndarray, "u th 2"]
    pair: NDArray[np.int64]  # which pair each choice of the table is about

    @classmethod
    def of(cls, scores: Sequence[AttributeScores], start: TargetBelief) -> _Likelihoods:
        number = {id(one): place for place, one in enumerate({id(one): one for one in scores}.values())}
        different = list({id(one): one for one in scores}.values())
        values = [
            log_probabilities(one, start.attributes, start.levels, start.sharpnesses) for one in different
        ]
        flat = np.stack([each.reshape(-1, 2).astype(np.float32) for each in values])
        return cls(flat, np.array([number[id(one)] for one in scores]))


def _inferred(
    at: Data, scores: Sequence[AttributeScores], targets: Sequence[AlignmentTarget], sizes: Sequence[int]
) -> Iterator[Row]:
    table, start = at.table, prior(scores[0].attributes)
    likelihoods = _Likelihoods.of(scores, start)
    chosen = 1 - (table.place.reshape(-1, 2)[:, 0] == 0)  # [n]: place of the chosen option
    for size in sorted(sizes):
        found: dict[str, list[NDArray[np.float64]]] = {POSTERIOR: [], MEAN: [], TRUE: []}
        rows, users, errors, spreads = [], [], [], []
        episodes = at.episodes.with_context(size)
        for user, context, target in zip(episodes.user, episodes.context, episodes.target, strict=True):
            context, target = context[context >= 0], target[target >= 0]
            belief = _posterior(start, likelihoods, context, chosen)
            ahead = _ahead(belief, likelihoods, target)
            found[POSTERIOR].append(_credit(ahead, chosen[target]))
            for name, wanted in ((MEAN, belief.target()), (TRUE, targets[user])):
                ties = [select(scores[row], wanted).ties for row in target]
                margin = np.array([0.0 if len(tie) > 1 else 1.0 - 2 * tie[0] for tie in ties])
                found[name].append(_credit(margin, chosen[target]))
            mean, spread = belief.mean, belief.spread
            errors.append(np.mean([abs(mean[name] - level) for name, level in targets[user].levels.items()]))
            spreads.append(np.mean([spread[name] for name in targets[user].levels]))
            rows.append(target)
            users.append(np.full(len(target), user))
        row, user = np.concatenate(rows), np.concatenate(users)
        for name, parts in found.items():
            yield from _rows(at, name, size, np.concatenate(parts), row, user)
        for metric, values in (("level_error", errors), ("level_spread", spreads)):
            by = [episodes.user]
            yield Row.of(mean_interval(np.array(values), by), _DATA, POSTERIOR, "all", size, metric)


def _posterior(
    start: TargetBelief, likelihoods: _Likelihoods, context: NDArray[np.int64], chosen: NDArray[np.int64]
) -> TargetBelief:
    """As `infer_target`, from likelihoods computed once for all people."""
    said = likelihoods.values[likelihoods.pair[context], :, chosen[context]].sum(0, dtype=np.float64)
    return start.after(said.reshape(start.probability.shape))


def _ahead(
    belief: TargetBelief, likelihoods: _Likelihoods, rows: NDArray[np.int64]
) -> Float[np.ndarray, " m"]:
    """Probability that the first option is chosen, less one half."""
    first = np.exp(likelihoods.values[likelihoods.pair[rows], :, 0])  # [m, th]
    return np.asarray(first @ belief.probability.reshape(-1) - 0.5)


def _credit(margin: Float[np.ndarray, " m"], chosen: NDArray[np.int64]) -> Float[np.ndarray, " m"]:
    """1 where the margin of the first option has the sign of the choice, half where there is none."""
    return np.where(margin == 0, 0.5, (margin > 0) == (chosen == 0)).astype(np.float64)


def _rows(
    at: Data,
    method: str,
    size: int,
    correct: Float[np.ndarray, " m"],
    row: NDArray[np.int64],
    user: NDArray[np.integer],
    seeds: np.ndarray | None = None,
) -> Iterator[Row]:
    prompt, group = at.table.prompt[row], at.table.group[row]
    of_all = mean_interval(correct, [user, prompt], seeds=seeds)
    yield Row.of(of_all, _DATA, method, "all", size, "accuracy")
    for number in np.unique(group):
        here = group == number
        of_group = None if seeds is None else seeds[here]
        value = mean_interval(correct[here], [user[here], prompt[here]], seeds=of_group)
        yield Row.of(value, _DATA, method, at.table.groups[int(number)].as_py(), size, "accuracy")


if __name__ == "__main__":
    run_recipe(steerable_choices, repeatable=["overlay"])
