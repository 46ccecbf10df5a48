"""Speed and memory on this machine: `make bench`, or `python -m eval.bench`."""

from __future__ import annotations

import os
import sys

import torch

from eval.bench.asking import question_speed
from eval.bench.default import default_cost
from eval.bench.figures import reported
from eval.bench.fit import fit_cost
from eval.bench.loader import loader_speedup, loader_wait
from eval.bench.policy import policy_against_trl
from eval.bench.reading import reading_speed
from eval.bench.score import score_overhead
from eval.bench.table import large_table
from fsa.cli.recipes import run_recipe
from fsa.reports.report import Report


def bench(
    out: str = "runs/bench",
    repetitions: int = 5,
    batches: int = 200,
    steps: int = 150,
    num_choices: int = 1_000_000,
    candidates: int = 1000,
    questions: int = 10_000,
    policy_steps: int = 6,
    fit_steps: int = 1500,
    backbone: str = "minilm",
    strict: bool = False,
) -> Report:
    """Measure the loader (times a plain one, % of a step), reading (of json.loads), a large table (s, MB,
    draws/s), scoring (times), the default (times the one before it), fits of many people (s, MB), and
    training policies and reward LMs (times TRL).

    Every figure is the median of its repetitions, taken in turn with what it is compared with. Prints them
    beside their limits and writes OUT/report.json, whose n counts repetitions.

    Args:
        out: Folder of the report.
        repetitions: Times that everything is measured, after one that warms up.
        batches: Batches of 64 episodes that the loader gives in one repetition.
        steps: Training steps in which the wait for a batch is measured, in % of a step; three trainings.
        num_choices: Choices of the large table, ten a user; opened in seconds, resident in MB (10^6 bytes).
        candidates: Texts to score for one person, in times the seconds of the bare forward pass.
        policy_steps: Training steps of a language model in one repetition, of which there are at most three.
        fit_steps: Most steps of a stage of `fsa fit`, and of a training on a million choices; both once.
        questions: Candidate pairs to find the next question among, in ms; an update is beside it.
        backbone: What reads them.
        strict: End with status 1 where a limit is not kept.
    """
    figures = [
        *loader_speedup(batches=batches, repetitions=repetitions),
        *loader_wait(steps=steps, repetitions=min(repetitions, 3)),
        *reading_speed(repetitions=repetitions),
        *large_table(num_choices, repetitions),
        *score_overhead(candidates, repetitions, backbone),
        *default_cost(steps=steps, candidates=candidates, repetitions=min(repetitions, 3), backbone=backbone),
        *question_speed(questions, repetitions),
        *fit_cost(max_steps=fit_steps),
        *policy_against_trl(policy_steps, min(repetitions, 3)),
    ]
    machine = {"cores": os.cpu_count() or 0, "torch threads": torch.get_num_threads()}
    ranges = {figure.metric: [min(figure.values), max(figure.values)] for figure in figures}
    report = reported(figures, out, "eval.bench", machine=machine, ranges=ranges)
    print(f"Report: {out}/report.json")
    missed = [figure.metric for figure in figures if not figure.is_kept]
    if strict and missed:
        sys.exit(f"limits missed: {', '.join(missed)}")
    return report


if __name__ == "__main__":
    run_recipe(bench)
