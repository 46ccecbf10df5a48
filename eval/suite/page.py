"""The results page of a suite, every number by this program: `python -m eval.suite_page --suite OUT`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eval.suite.figures import beliefs, curves, rewards
from eval.suite.figures import cost as cost_plot
from eval.suite.page_details import cost, dataset, needed, noise
from eval.suite.page_notes import notes
from eval.suite.page_overview import claim, head, summary
from eval.suite.page_tables import Numbers
from eval.suite.people_figures import belief_maps, reward_curves
from eval.suite.results import Suite
from eval.suite.rows import rows_of_suite
from fsa.reports.report import Report

_CAPTIONS = {
    "accuracy": "Accuracy by choices seen. Thick: ours; grey: pooled (dotted) and told the groups (dashed).",
    "worst_group": "The same in the worst group.",
    "cost": "Accuracy after the most choices by what a method costs.",
    "beliefs": "Beliefs about test people after the most choices, first seed of ours, two principal axes.",
    "rewards": "Rewards of the synthetic people's options after 0, 1, 3 and 10 choices, first seed of ours.",
}


def write(out: Path, docs: Path, *, num_resamples: int = 1000, people: bool = True) -> None:
    """Write a page, its pictures in a folder beside it of the page's name, and OUT/report.json.

    Args:
        out: Folder of a suite; see `eval.suite.cells`.
        docs: The page, `docs/results.md`. A file `results_notes.md` beside it stands in the page word for
            word, if there is one: what was tried where the claim fails.
        num_resamples: Of the intervals.
        people: Whether to open the reference's runs for pictures of beliefs and rewards.

    Raises:
        ConfigError: No cell is done, or two cells of a data set were not asked the same.
    """
    suite = Suite.read(out)
    rows = rows_of_suite(suite, num_resamples=num_resamples)
    numbers = Numbers(rows)
    rows_report(suite, numbers).save_json(suite.folder)
    docs.parent.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(suite, numbers, docs.with_suffix(""), people)
    docs.write_text("\n\n".join(_parts(suite, numbers, pictures, docs)) + "\n", encoding="utf-8")


def rows_report(suite: Suite, numbers: Numbers) -> Report:
    """All numbers with where they come from."""
    about = {name: value for name, value in suite.about.items() if name != "cells"}
    return Report(numbers.rows, about | {"cells": {"done": len(suite.cells), "planned": suite.planned}})


def _pictures(suite: Suite, numbers: Numbers, folder: Path, people: bool) -> list[str]:
    """Draw what can be drawn; names of the pictures."""
    drawn = {
        "accuracy": curves(suite, numbers, "all", folder / "accuracy.png"),
        "worst_group": curves(suite, numbers, "worst", folder / "worst_group.png"),
        "cost": cost_plot(suite, numbers, folder / "cost.png"),
    }
    if people:
        if maps := belief_maps(suite):
            beliefs(maps, folder / "beliefs.png")
        found = reward_curves(suite)
        if found is not None:
            rewards(*found, folder / "rewards.png")
        drawn |= {"beliefs": bool(maps), "rewards": found is not None}
    return [name for name, is_there in drawn.items() if is_there]


def _parts(suite: Suite, numbers: Numbers, pictures: list[str], docs: Path) -> Iterator[str]:
    yield from head(suite, numbers)
    yield from summary(suite, numbers)
    for name in pictures:
        yield f"![{_CAPTIONS[name]}]({docs.stem}/{name}.png)\n\n{_CAPTIONS[name]}"
    yield from claim(suite, numbers)
    tried = docs.with_name(docs.stem + "_notes.md")
    if tried.is_file():
        yield f"## What was tried\n\n{tried.read_text(encoding='utf-8').strip()}"
    yield from needed(suite, numbers)
    yield from noise(suite, numbers)
    yield from cost(suite, numbers)
    for name in suite.datasets:
        yield from dataset(suite, numbers, name)
    yield from notes(suite)
