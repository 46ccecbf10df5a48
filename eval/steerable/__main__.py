"""Steering by a target: `python -m eval.steerable --judge regressor --judge length --data FOLDER`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from eval.steerable.answer_log import Answers
from eval.steerable.benchmark import Benchmark, Sets, benchmark, target_sets
from eval.steerable.methods import ORACLE, Method, Oracle, answered, method_of
from eval.steerable.plot import bars
from eval.steerable.scores import Grids, grids, interval, score_errors
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.judge.target import AlignmentTarget
from fsa.recipes.in_run_folder import alone_in_out
from fsa.reports.bootstrap import Interval
from fsa.reports.frame import texts, wide
from fsa.reports.report import Report, Row
from fsa.reports.tables import console
from fsa.runs.folder import about_this_run

TARGETS = ("high", "low", "sampled", "single")
_PLOT = "accuracy_by_target.png"
_LEFT_OUT = (
    "Kaleido and the multi-objective reward model of the published repository: their weights are not at "
    "hand; either is a `Judge` of one file"
)


@alone_in_out
def steerable(
    judge: list[str],
    data: str,
    targets: list[str] | None = None,
    out: str = "runs/steerable",
    against: str = "",
    limit: int | None = None,
    count: int = 10,
    seed: int = 0,
    batch: int = 16,
) -> Report:
    """Choose the response nearest each target, and count how often that is the one that people's ratings say.

    Answers stream to `OUT/answers`, so that an interrupted run goes on where it stopped. Writes report.json,
    report.md and a plot. The oracle is always there.

    Args:
        judge: A file of configs/judge (or its bare name), `NAME=FILE` to name it; may be given several times.
        data: Folder of `steerable_train.json` and `steerable_eval.json`, or a `MIC.csv`.
        targets: `high`, `low`, `sampled` (of each size), `single` (one attribute at each level), JSON files;
            may be given several times. All but files if not given.
        out: Folder of answers and report.
        against: A method's name; every other is reported less this one, on the same choices.
        limit: Test probes, from the first; all if not given.
        count: Sampled targets of each size.
        seed: Of the sampled targets.
        batch: Probes asked about at once; an interrupted run loses at most these.

    Raises:
        ConfigError: A judge or target cannot be made, or OUT holds answers of another one.
        ChoiceDataError: The data cannot be read.
    """
    at, folder = benchmark(data, limit), Path(out)
    sets = target_sets(targets or TARGETS, at.attributes, count, seed)
    methods: list[tuple[Method, Mapping[str, Any]]] = [(Oracle(at.test), {}), *map(method_of, judge)]
    names = [method.name for method, _ in methods]
    if len(set(names)) < len(names) or (against and against not in names):
        raise ConfigError(f"--judge: names must differ and include --against {against!r}, came {names}")
    found = [_measured(method, config, at, sets, folder, batch) for method, config in methods]
    rows = [row for one in found for row in _rows(one, at, sets)]
    rows += [row for one in found for row in _gains(one, found, against, at, sets)]
    about = {one.name: {"problems": one.problems, **asdict(one.answers.cost)} for one in found}
    counts = {"train": len(at.train), "test": len(at.test), "train prompts also tested": at.dropped}
    report = Report(
        rows, about_this_run("eval.steerable", seed=seed, counts=counts, methods=about, left_out=_LEFT_OUT)
    )
    report.save(folder)
    bars(report.frame, folder / _PLOT)
    with (folder / "report.md").open("a", encoding="utf-8") as stream:
        stream.write(f"\n![Accuracy by target]({_PLOT})\n")
    _print(report.frame)
    return report


@dataclass(frozen=True)
class _Measured:
    """A method's choices and scores, and what they cost."""

    name: str
    grids: Mapping[str, Grids]
    errors: Mapping[str, Mapping[str, Interval | None]]
    answers: Answers
    problems: dict[str, int]


def _measured(
    method: Method, config: Mapping[str, Any], at: Benchmark, sets: Sets, folder: Path, batch: int
) -> _Measured:
    distinct = list({target.name: target for targets in sets.values() for target in targets}.values())
    units = [(each.probe, target) for target in distinct for each in at.test]
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in method.name)
    path = folder / "answers" / f"{safe}.jsonl"
    answers = answered(method, path, {"config": config, "data": at.name}, at.train, units, batch)
    picks = {
        target.name: [method.picks(answers[method.id(each.probe, target)], target) for each in at.test]
        for target in distinct
    }
    of_sets = {
        name: grids([picks[target.name] for target in targets], targets, at.test)
        for name, targets in sets.items()
    }
    lines = {id(line): line for line in _lines(method, answers, at, distinct)}.values()
    problems = Counter(
        problem for line in lines for problem in (line.get("scores") or line).get("problems", ())
    )
    return _Measured(method.name, of_sets, _errors(method, answers, at), answers, dict(problems))


def _lines(
    method: Method, answers: Answers, at: Benchmark, targets: Sequence[AlignmentTarget]
) -> Iterator[dict[str, Any]]:
    for target in targets:
        for each in at.test:
            yield answers[method.id(each.probe, target)]


def _errors(method: Method, answers: Answers, at: Benchmark) -> dict[str, Mapping[str, Interval | None]]:
    any_target = AlignmentTarget.high(at.attributes)
    first = method.id(at.test[0].probe, any_target)
    scores = method.scores(answers[first]) if first in answers else None
    if scores is None or not set(at.attributes) <= set(scores.attributes):
        return {}
    found = [method.scores(answers[method.id(each.probe, any_target)]) for each in at.test]
    return {name: score_errors([one for one in found if one], at.test, name) for name in at.attributes}


def _rows(one: _Measured, at: Benchmark, sets: Sets) -> Iterator[Row]:
    metrics = {"accuracy": "correct", "recovered_share": "recovered", "unanswered_rate": "unanswered"}
    for metric, grid in metrics.items():
        for name in sets:
            yield from _row(at, one.name, name, metric, interval(getattr(one.grids[name], grid)))
    for name, targets in sets.items():
        for number, target in enumerate(targets if len(targets) > 1 else ()):
            value = interval(one.grids[name].correct[number : number + 1])
            for row in _row(at, one.name, target.name, "accuracy", value):
                yield replace(row, slice={"set": name})
    for attribute in at.attributes:
        for name in sets:
            for row in _row(at, one.name, name, "bias", interval(one.grids[name].to_higher[attribute])):
                yield replace(row, slice={"attribute": attribute})
    for attribute, errors in one.errors.items():
        for metric, value in errors.items():
            yield from _row(at, one.name, attribute, metric, value)
    for part, amount in asdict(one.answers.cost).items():
        yield Row(at.name, one.name, "all", {}, 0, f"cost_{part}", amount, None, None, len(at.test), 1)


def _gains(
    one: _Measured, found: Sequence[_Measured], against: str, at: Benchmark, sets: Sets
) -> Iterator[Row]:
    """Accuracy less that of another method on the same choices."""
    for rival in found:
        if rival.name == against and one.name not in (against, ORACLE):
            for name in sets:
                gain = one.grids[name].correct - rival.grids[name].correct
                yield from _row(at, one.name, name, f"over_{against}_accuracy", interval(gain))


def _row(at: Benchmark, method: str, group: str, metric: str, i: Interval | None) -> Iterator[Row]:
    if i is not None:
        yield Row.of(i, at.name, method, group, 0, metric)


def _print(frame: pd.DataFrame) -> None:
    """Accuracy by set of targets, methods side by side, in percent."""
    here = frame[(frame.metric == "accuracy") & (frame.slice == "")]
    cells = wide(here, "group", "method", texts(here, "interval")).rename_axis("targets")
    cells.insert(0, "n", here.groupby("group", sort=False).n.max().astype(str))
    out = Console()
    out.width = max(out.width, 40 + 20 * len(cells.columns))  # without a terminal it is 80
    out.print("accuracy, % [95 % interval]", console(cells))


if __name__ == "__main__":
    run_recipe(steerable, repeatable=["judge", "targets"])
