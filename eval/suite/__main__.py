"""Every method on every data set, one page: `python -m eval.suite --config configs/suite/small.yaml`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from eval.suite.cells import write_suite
from eval.suite.page import write
from eval.suite.plan import Plan
from eval.suite.timing import timing_pass
from eval.suite.workers import Progress, run_cells
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.in_run_folder import alone_in_out
from fsa.recipes.measuring.runs import Settings
from fsa.runs.folder import about_this_run


@alone_in_out
def suite(
    datasets: dict[str, Any],
    methods: dict[str, Any],
    seeds: list[int] = [0, 1, 2],  # noqa: B006 (never changed; jsonargparse shows it)
    context_sizes: list[int] = [0, 1, 3, 5, 10],  # noqa: B006
    split: str = "test",
    episodes: int = 600,
    max_targets: int = 10,
    reference: str = "NP-BTL",
    data: dict[str, str] = {},  # noqa: B006
    only: str = "*",
    processes: int = 2,
    timing: bool = False,
    timing_dataset: str | None = None,
    name: str = "suite",
    out: str = "runs/suite",
    docs: str | None = None,
) -> Progress:
    """Train and measure every method on every data set, several seeds, on the same people and choices.

    A cell (data set, method, seed) that is done is not done again, and a suite that was stopped goes on where
    it was. A cell is known by its whole configuration and `plan.RESULTS_VERSION`, which is raised where the
    code changes results: a changed method is done anew, alone. Ends with status 1 where a cell failed; the
    others are done all the same.

    Args:
        datasets: What is learned from, by name; see `eval.suite.plan.DataSet`.
        methods: What learns, by name; see `eval.suite.plan.Member`.
        seeds: One training each.
        context_sizes: Choices seen, for example 0,1,3,5,10.
        split: Which split to measure on: `validation` while choosing, `test` once.
        episodes: Frozen episodes of each data set; people take turns.
        max_targets: Most choices predicted per episode.
        reference: The method that others are compared with: ours.
        data: Folders of data sets that are not made here, as `--data.NAME FOLDER`.
        only: Pattern of the cells to do, of DATASET/METHOD/SEED; all of them by default.
        processes: Cells done at a time, one thread each.
        timing: When all cells are done, time them, one after the other with nothing beside them.
        timing_dataset: Where training is timed alone; the first data set if not given.
        name: Of the suite, on the page.
        out: Folder of the cells.
        docs: Page to write; `results.md` in OUT if not given.

    Raises:
        ConfigError: The suite's configuration, or a training's, cannot be read.
    """
    settings = Settings(context_sizes, split, episodes, max_targets, seed=1, trust_remote_code=True)
    plan = Plan.of(datasets, methods, seeds, settings, data)
    if reference not in methods or (timing_dataset or next(iter(datasets))) not in datasets:
        came = f"reference is {reference!r} and timing_dataset {timing_dataset!r}"
        raise ConfigError(f"{came}; the suite has {', '.join(methods)} on {', '.join(datasets)}")
    cells, wanted, console, folder = plan.cells(), plan.cells(only), Console(), Path(out)
    config = {"datasets": datasets, "methods": methods, "seeds": seeds, **vars(settings), "data": data}
    about = about_this_run("eval.suite", name=name, reference=reference, processes=processes, config=config)

    def note(status: Mapping[str, str]) -> None:
        write_suite(folder, about, cells, status)

    progress = Progress(cells, wanted, folder, note)
    run_cells(plan, folder, progress, processes, console)
    console.print(progress)
    if timing:
        timing_pass(plan, folder, wanted, timing_dataset or next(iter(datasets)), console)
    if len(progress.accuracy):
        page = Path(docs) if docs else folder / "results.md"
        write(folder, page)
        console.print(f"{page}: written from {folder}")
    for failed, error in progress.failed.items():
        console.print(f"{failed}: {error}", markup=False)
    return progress


def main() -> None:
    """From the command line; ends with status 1 where a cell failed."""
    if run_recipe(suite).failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
