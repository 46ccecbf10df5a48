"""Everything that `eval.generations` asks its runs, and the rows that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from eval.generations import continuum as between_types
from eval.generations import dedicated
from eval.generations import rivals as without_steering
from eval.generations import unseen as unseen_types
from eval.generations.answers import AnswerWriter, Writing, log_of
from eval.generations.cost import costs, diversity
from eval.generations.distance import REFERENCE_STOPPED, STOPPED, distance
from eval.generations.grid import GridNumbers, joined, rows_of
from eval.generations.page import page
from eval.generations.people import HeldOutPanel
from eval.generations.questions import Question
from eval.generations.raters import Rater, SandboxRater
from eval.generations.steering import GeneratedAnswers, cells_of, write
from eval.generations.stopping import of_written, stopping
from fsa.devices import torch_device
from fsa.errors import ConfigError
from fsa.outputs.policy import Policy
from fsa.recipes.line_log import LineLog
from fsa.recipes.measuring.runs import Method
from fsa.reports.row import Row
from fsa.runs.folder import CONFIG_YAML, read_yaml


@dataclass(frozen=True)
class StudyPlan:
    """What every training is asked, and how it is judged."""

    field: HeldOutPanel
    judge: Rater
    sizes: list[int]
    writing: Writing
    distance_answers: int
    continuum: bool
    unseen: Mapping[str, tuple[HeldOutPanel, SandboxRater]]
    rivals: Sequence[without_steering.Rival]
    asked: Sequence[Question]
    trust_remote_code: bool
    console: Console
    strength: float = 1.0
    dedicated: Sequence[Path] = ()
    stopping_answers: int = 0


def all_rows(
    methods: Sequence[Method], rival: Method | None, plan: StudyPlan, data: str, folder: Path
) -> tuple[list[Row], dict[str, list[between_types.Curve]]]:
    rows: list[Row] = []
    curves: dict[str, list[between_types.Curve]] = {}
    field = plan.field
    rivals: list[np.ndarray] = []
    if rival:
        cells: list[GridNumbers] = []
        for number, path in enumerate(rival.runs):
            plan.console.print(f"[bold]{path}[/]: {rival.name}, pooled")
            answers = _open(path, plan)
            written = write(answers, field, [0])
            rivals.append(written.prior)
            cells += cells_of(written, None, field, plan.judge, number)
            cells += _distance(answers, field, [0], plan, number)
        rows += _rows(cells, data, rival.name, field)
    for method in methods:
        cells, between = list[GridNumbers](), list[GridNumbers]()
        for number, path in enumerate(method.runs):
            plan.console.print(f"[bold]{path}[/]: {method.name}, training {number + 1} of {len(method.runs)}")
            against = rivals[number % len(rivals)] if rivals else None
            is_first = not number and method is methods[0]
            found, mixed, text, more = _one_training(
                path, against, plan, method.name, number, data, is_first, folder
            )
            rows += more
            cells += found
            between += mixed
            if text and not number:
                name = "side_by_side.md" if len(methods) == 1 else f"side_by_side-{_plain(method.name)}.md"
                (folder / name).write_text(text, encoding="utf-8")
        rows += _rows(cells, data, method.name, field)
        together = joined(between)
        if together:
            rows += between_types.rows_of(together, data, method.name)
            curves[method.name] = between_types.curves(together)
    return rows, curves


def _one_training(
    path: Path,
    rival: np.ndarray | None,
    plan: StudyPlan,
    method: str,
    number: int,
    data: str,
    is_first: bool,
    folder: Path,
) -> tuple[list[GridNumbers], list[GridNumbers], str, list[Row]]:
    """Measures of one run folder, its continuum, its page of answers, and rows that stand by themselves."""
    log = log_of(folder / f"answers-{_plain(method)}-{number}.jsonl", path, plan.writing, plan.strength)
    answers = _open(path, plan, log)
    field = plan.field.of(read_yaml(path / CONFIG_YAML).get("only_group"))
    written = write(answers, field, plan.sizes)
    cells = list(cells_of(written, rival, field, plan.judge, number))
    if written.largest and getattr(answers.policy, "texts", None) is not None:
        cells += of_written(answers, written, field, plan.judge, number)
    between: list[GridNumbers] = []
    if plan.continuum:
        between += between_types.cells_of(answers, field, plan.judge, plan.sizes[-1], number)
    for new, judge in plan.unseen.values():
        cells += unseen_types.cells_of(answers, new, judge, plan.sizes, number)
    cells += _distance(answers, field, plan.sizes, plan, number)
    more: list[Row] = []
    if plan.asked:
        size = written.largest
        cells += costs(answers, field, size, plan.asked, number)
        more += diversity(written.given[size], written.reference[0], data, method, size)
        cells += _distance(answers, field, [size], plan, number, by_reference=True)
    if plan.stopping_answers:
        counted = stopping(
            answers.policy, field, written.largest, plan.stopping_answers, plan.judge, plan.writing, number,
            plan.console,
        )  # fmt: skip
        # Of more answers than those that the distance is of: in their place.
        cells = [one for one in cells if one.metric not in (STOPPED, REFERENCE_STOPPED)] + list(counted)
    for other in plan.rivals if is_first else []:
        found = without_steering.cells_of(
            other, answers, written.reference, field, plan.judge, plan.sizes[-1], plan.distance_answers
        )
        more += _rows(list(found), data, other.name, field)
    if is_first and plan.dedicated:
        more += _dedicated(written, plan, method, data, folder)
    return cells, between, page(written, field, plan.judge, method, at_least=10), more


def _dedicated(
    written: GeneratedAnswers, plan: StudyPlan, method: str, data: str, folder: Path
) -> Iterator[Row]:
    """Rows of all dedicated policies, and the shares that the steered one has of their movement."""
    found: list[tuple[str, GridNumbers]] = []
    for path in plan.dedicated:
        group = read_yaml(path / CONFIG_YAML).get("only_group")
        where = [i for i, subject in enumerate(plan.field.subjects) if subject.group == group]
        if group is None or not where:
            raise ConfigError(f"--dedicated {path}: its only_group is {group}, which nobody asked is of")
        its = plan.field.of(group)
        log = log_of(folder / f"answers-{_plain(f'{dedicated.NAME}-{group}')}.jsonl", path, plan.writing)
        answers = _open(path, replace(plan, strength=1.0), log)
        mine = replace(written, given={size: texts[where] for size, texts in written.given.items()})
        found += dedicated.cells_of(answers, mine, its, plan.judge)
        found += [(dedicated.NAME, one) for one in _distance(answers, its, [written.largest], plan, 0)]
    for whose in (dedicated.NAME, ""):
        for one in joined([cells for of, cells in found if of == whose]):
            groups = plan.field.groups if whose else list(dict.fromkeys(one.group))
            yield from rows_of(one, data, whose or method, groups, plan.field.fixed_users)


def _open(path: Path, plan: StudyPlan, log: LineLog | None = None) -> AnswerWriter:
    policy = Policy.from_pretrained(path, trust_remote_code=plan.trust_remote_code)
    assert isinstance(policy, Policy)
    policy.to(torch_device())
    if plan.strength != 1:
        policy.strengthen(plan.strength)
    return AnswerWriter(policy, plan.writing, plan.console, log)


def _distance(
    answers: AnswerWriter,
    field: HeldOutPanel,
    sizes: Sequence[int],
    plan: StudyPlan,
    number: int,
    by_reference: bool = False,
) -> list[GridNumbers]:
    if not plan.distance_answers:
        return []
    how = plan.writing
    return distance(
        answers.policy, field, sizes, plan.distance_answers, how.max_new_tokens, how.seed, number,
        how.batch_size, plan.console, by_reference,
    )  # fmt: skip


def _rows(cells: Sequence[GridNumbers], data: str, method: str, field: HeldOutPanel) -> Iterator[Row]:
    for one in joined(cells):
        groups = field.groups if not one.slice else list(dict.fromkeys(one.group))
        yield from rows_of(one, data, method, groups, field.fixed_users and not one.slice)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
