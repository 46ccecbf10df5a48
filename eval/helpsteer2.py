"""NP-BTL on real ratings: `python -m eval.helpsteer2 --data FOLDER`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.features.measures import measure
from fsa.outputs.item_features import ItemFeatures
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.measuring.rows import measured, rows_of
from fsa.recipes.measuring.runs import Data, Settings, named
from fsa.reports.bootstrap import Interval, draw
from fsa.reports.intervals import mean_interval
from fsa.reports.report import Report, Row
from fsa.runs.folder import about_this_run
from train.reward import train_run

# Pairs that length does not decide: |log(length / other length)| below this, in characters.
_MATCHED = 0.25
_PENALTIES = np.logspace(-4, 2, 10).tolist()  # inverse strengths that the dedicated logistic chooses from


def helpsteer2(
    data: str,
    backbone: str = "minilm",
    seeds: int = 3,
    context_sizes: list[int] = [0, 1, 3, 5, 10],  # noqa: B006
    episodes: int = 2000,
    out: str = "runs/helpsteer2",
) -> Report:
    """Train on the train prompts, test on the validation prompts, beside an honest oracle of each user.

    The oracle is the better of two rewards dedicated to a user: a logistic regression on differences of the
    same projected features, its penalty cross-validated on train prompts; and log length alone, with its
    sign from train prompts. Which is better is seen on the test prompts: the oracle gets the benefit.

    Args:
        data: Folder of HelpSteer2's files, or its id on the hub.
        backbone: `minilm` (mean of the last hidden states) or another, such as `gemma-270m` (last and mean).
        seeds: Trainings of NP-BTL and pooled BTL.
        context_sizes: Choices seen.
        episodes: Test episodes; the five users take turns.
        out: Folder of the runs and the report.
    """
    console, folder = Console(), Path(out)
    pooling = "mean" if backbone == "minilm" else "last+mean"
    given = ["--config=configs/reward/helpsteer2.yaml", f"--source.path={data}"]
    given += [f"--features.backbone={backbone}", f"--features.pooling={pooling}"]
    for seed in range(seeds):
        train_run(folder / f"np-{seed}", *given, seed=seed)
        train_run(folder / f"pooled-{seed}", *given, "--config=configs/baseline/pooled.yaml", seed=seed)
    settings = Settings(context_sizes, "test", episodes, 20, seed=1)
    known: dict[str, Data] = {}
    rows: list[Row] = []
    kept: dict[tuple[str, int], Predictions] = {}
    for method in named([f"NP-BTL={folder}/np-*", f"pooled={folder}/pooled-*"]):
        for size, predictions, of_seed, at in measured(method, settings, known):
            kept[method.name, size] = predictions
            rows += rows_of(predictions, of_seed, at, method.name, size)
            matched = _is_matched(at.table)[predictions.row]
            matched_rows = rows_of(predictions.where(matched), of_seed[matched], at, method.name, size)
            rows += [replace(row, slice={"length_matched": True}) for row in matched_rows]
    (at,) = known.values()
    correct = _dedicated(at, RewardModel.from_pretrained(folder / "np-0"))
    rows += _dedicated_rows(at, correct, context_sizes)
    closed = _closed(at, kept, _oracle(at, correct), max(context_sizes))
    report = Report(rows, about_this_run("eval.helpsteer2", backbone=backbone, closed=closed))
    report.save(folder)
    report.print_tables(console)
    console.print(
        f"At {max(context_sizes)} choices NP-BTL closes {closed['value']:.1%} "
        f"[{closed['low']:.1%}, {closed['high']:.1%}] of pooled ({closed['pooled']:.1%}) to oracle "
        f"({closed['oracle']:.1%}), in the mean over users; interval over n = {closed['prompts']} prompts."
    )
    return report


def _dedicated(at: Data, model: RewardModel) -> dict[str, np.ndarray]:
    """Credit of the dedicated rewards on every test choice [n], by method."""
    from sklearn.linear_model import LogisticRegression  # the extra `demo`
    from sklearn.model_selection import GridSearchCV

    train = at.whole.select(at.whole.split == at.whole.splits.index("train").as_py())
    features = ItemFeatures(at.whole, model.features).project(model.projection).numpy()
    lengths = _log_lengths(at.whole)[:, None]
    credit = {name: np.zeros(len(at.table)) for name in ("dedicated logistic", "log length")}
    for group in np.unique(at.table.group):
        fit, test = train.select(train.group == group), at.table.group == group
        x, y = _differences(fit, features)
        # No intercept and both orders: swapping two options swaps the odds.
        search = GridSearchCV(LogisticRegression(fit_intercept=False, max_iter=2000), {"C": _PENALTIES}, cv=5)
        search.fit(np.concatenate([x, -x]), np.concatenate([y, -y]))
        x, y = _differences(at.table.select(test), features)
        credit["dedicated logistic"][test] = _credit(search.decision_function(x), y)
        x, y = _differences(fit, lengths)
        sign = np.sign((np.sign(x[:, 0]) * y).sum())
        x, y = _differences(at.table.select(test), lengths)
        credit["log length"][test] = _credit(sign * x[:, 0], y)
    return credit


def _differences(table: ChoiceTable, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First option less second [n, d], and +1 where the first was chosen, -1 where the second was [n]."""
    items = table.option.reshape(-1, 2)
    return features[items[:, 0]] - features[items[:, 1]], np.where(table.place[::2] == 0, 1, -1)


def _credit(margin: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(margin == 0, 0.5, np.sign(margin) == chosen)


def _log_lengths(table: ChoiceTable) -> np.ndarray:
    lengths = np.zeros(table.num_items)
    lengths[table.items_used] = measure(["log_length"], [table.response(int(i)) for i in table.items_used])[
        :, 0
    ]
    return lengths


def _is_matched(table: ChoiceTable) -> np.ndarray:
    """Choices whose two responses are about as long [n]."""
    items = table.option.reshape(-1, 2)
    lengths = _log_lengths(table)
    return np.abs(lengths[items[:, 0]] - lengths[items[:, 1]]) < _MATCHED


def _oracle(at: Data, credit: dict[str, np.ndarray]) -> np.ndarray:
    """Credit of each user's better dedicated reward on every test choice [n]."""
    best = np.zeros(len(at.table))
    for group in np.unique(at.table.group):
        here = at.table.group == group
        best[here] = max((values[here] for values in credit.values()), key=np.mean)
    return best


def _dedicated_rows(at: Data, credit: dict[str, np.ndarray], context_sizes: Sequence[int]) -> list[Row]:
    """Accuracy of the dedicated rewards, the same at every context size: they read no context."""
    table, rows = at.table, []
    for method, values in {**credit, "oracle": _oracle(at, credit)}.items():
        for matched in (False, True):
            keep = _is_matched(table) if matched else np.ones(len(table), bool)
            found = {"all": mean_interval(values[keep], [table.prompt[keep]])}
            for group in np.unique(table.group):
                here = keep & (table.group == group)
                found[table.groups[int(group)].as_py()] = mean_interval(values[here], [table.prompt[here]])
            users = [interval for name, interval in found.items() if name != "all"]
            found["worst"] = min(users, key=lambda interval: interval.value)
            limited: dict[str, Any] = {"length_matched": True} if matched else {}
            for size in context_sizes:
                rows += [
                    Row.of(i, at.name, method, group, size, "accuracy", limited) for group, i in found.items()
                ]
    return rows


def _closed(
    at: Data, kept: dict[tuple[str, int], Predictions], oracle: np.ndarray, size: int
) -> dict[str, Any]:
    """Share of pooled-to-oracle that NP-BTL closes, in the mean over users; all three on the same prompts."""
    prompts, place = np.unique(at.table.prompt, return_inverse=True)
    parts = {name: (p.correct, p.group, p.prompt) for (name, n), p in kept.items() if n == size}
    parts["oracle"] = (oracle, at.table.group, prompts[place])
    # The first line takes each prompt once.
    weights = draw(np.random.default_rng(0), len(prompts), 1000)
    weights = np.concatenate([np.ones((1, len(prompts))), weights])
    means = {}
    for name, (credit, group, prompt) in parts.items():
        cells = pd.crosstab(group, prompt, credit, aggfunc=["sum", "count"], dropna=False).fillna(0)
        total, count = (
            cells[kind].reindex(columns=prompts, fill_value=0).to_numpy() for kind in ("sum", "count")
        )
        means[name] = ((weights @ total.T) / np.maximum(weights @ count.T, 1)).mean(1)
    share = (means["NP-BTL"] - means["pooled"]) / (means["oracle"] - means["pooled"])
    found = Interval.of(share[0], share[1:], len(prompts))
    ends = {"value": found.value, "low": found.low, "high": found.high, "prompts": found.n}
    return ends | {name: float(mean[0]) for name, mean in means.items()}


if __name__ == "__main__":
    run_recipe(helpsteer2)
