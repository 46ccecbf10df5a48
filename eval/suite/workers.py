"""Cells by several processes, and the table that shows how far they are."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.live import Live
from rich.table import Table

from eval.suite.cells import CELL, Cell
from eval.suite.plan import Plan
from eval.suite.work import CellRunner
from fsa.runs.folder import read_json

_runner: CellRunner | None = None  # of a worker process, which does many cells


class Progress:
    """What became of each cell, and how long the rest may take.

    Args:
        cells: All cells of the suite.
        wanted: Those to do now.
        out: Its folder.
        write: Called with the status of all after every change.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        wanted: Sequence[Cell],
        out: Path,
        write: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.cells, self.out, self.write = cells, out, write
        self.status = {cell.name: "done" for cell in cells if cell.is_done(out)}
        self.accuracy = {cell.name: accuracy_of(cell.folder(out)) for cell in cells if cell.is_done(out)}
        self.to_do = [cell for cell in wanted if cell.name not in self.status]
        self.started = time.monotonic()
        write(self.status)

    def change(self, cell: Cell, status: str) -> None:
        """Note a cell's new status: running, done, or an error's first line."""
        self.status[cell.name] = status
        if status == "done":
            self.accuracy[cell.name] = accuracy_of(cell.folder(self.out))
        self.write(self.status)

    @property
    def failed(self) -> dict[str, str]:
        """Errors by cell."""
        return {name: said for name, said in self.status.items() if said not in ("done", "running")}

    @property
    def left(self) -> str:
        """How long the rest may take, at the pace so far."""
        done = sum(self.status.get(cell.name, "running") != "running" for cell in self.to_do)
        if done == len(self.to_do):
            return "nothing left"
        if not done:
            return "time left unknown"
        seconds = (time.monotonic() - self.started) / done * (len(self.to_do) - done)
        return f"about {timedelta(seconds=round(seconds))} left"

    def line(self, cell: Cell) -> str:
        """One cell's news, for a log."""
        count = f"{sum(said != 'running' for said in self.status.values())}/{len(self.cells)}"
        said = self.status[cell.name]
        said = f"{self.accuracy[cell.name]:.1%}" if said == "done" else f"failed: {said}"
        return f"{count} {cell.name}: {said}; {self.left}"

    def __rich__(self) -> Table:
        """Data sets down, methods across: accuracy at the most choices, and how many seeds are done."""
        datasets = dict.fromkeys(cell.dataset for cell in self.cells)
        methods = dict.fromkeys(cell.method for cell in self.cells)
        done = sum(said == "done" for said in self.status.values())
        title = f"{done} of {len(self.cells)} cells done, {len(self.failed)} failed, {self.left}"
        # Few data sets and many methods: the longer list goes down.
        table = Table("", *datasets, title=title)
        for method in methods:
            table.add_row(method, *(self._in_short(dataset, method) for dataset in datasets))
        return table

    def _in_short(self, dataset: str, method: str) -> str:
        names = [cell.name for cell in self.cells if (cell.dataset, cell.method) == (dataset, method)]
        values = [self.accuracy[name] for name in names if name in self.accuracy]
        running = sum(self.status.get(name) == "running" for name in names)
        failed = sum(name in self.failed for name in names)
        parts = [
            f"{100 * np.mean(values):.1f}" if values else "",
            f"{len(values)}/{len(names)}" if names else "",
        ]
        parts += [f"[yellow]+{running}[/]"] if running else []
        parts += [f"[red]{failed} failed[/]"] if failed else []
        return " ".join(filter(None, parts))


def run_cells(plan: Plan, out: Path, progress: Progress, processes: int, console: Console) -> None:
    """Do every cell that is not done, several at a time; one that fails does not stop the others."""
    waiting = list(progress.to_do)
    if not waiting:
        return
    seconds = _prepare(plan, out, list(dict.fromkeys(cell.dataset for cell in waiting)), console)
    errors = out / "errors"
    running: dict[Future[str | None], Cell] = {}
    live = Live(progress, console=console, refresh_per_second=1) if console.is_terminal else nullcontext()
    with Workers(plan, out, processes) as workers, live:
        try:
            while waiting or running:
                while waiting and len(running) < processes:  # so that what is called running runs
                    cell = waiting.pop(0)
                    progress.change(cell, "running")
                    running[workers.submit(cell, seconds[cell.dataset])] = cell
                for finished in wait(running, return_when=FIRST_COMPLETED).done:
                    cell = running.pop(finished)
                    error = _error_of(finished)
                    if error:
                        errors.mkdir(exist_ok=True)
                        name = cell.name.replace("/", " - ")
                        (errors / f"{name}.txt").write_text(error, "utf-8")
                    progress.change(cell, error.strip().splitlines()[-1] if error else "done")
                    if not console.is_terminal:
                        console.print(progress.line(cell), soft_wrap=True, markup=False, highlight=False)
        except BaseException:
            workers.pool.shutdown(wait=False, cancel_futures=True)
            raise


class Workers:
    """Processes that do many cells each, so that they import and load once; where one is killed, new ones."""

    def __init__(self, plan: Plan, out: Path, processes: int) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"  # read when a new process imports; cells share the cores
        self.start = lambda: ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), _start_worker, (plan, out, processes)
        )
        self.pool = self.start()

    def submit(self, cell: Cell, feature_seconds: float) -> Future[str | None]:
        """Have a cell done."""
        try:
            return self.pool.submit(_work, cell, feature_seconds)
        except BrokenProcessPool:
            self.pool = self.start()
            return self.pool.submit(_work, cell, feature_seconds)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *about: object) -> None:
        self.pool.shutdown()


def _error_of(finished: Future[str | None]) -> str | None:
    try:
        return finished.result()
    except BrokenProcessPool:
        return "its process was killed, perhaps for want of memory; run the suite again"


def _prepare(plan: Plan, out: Path, datasets: list[str], console: Console) -> dict[str, float]:
    """Seconds that features took, by data set; here and once, or every worker would compute them."""
    runner, seconds = CellRunner(plan, out), {}
    for name in datasets:
        seconds[name] = runner.prepare(name)
        console.print(f"{name}: choices, features ({seconds[name]} s) and what can be known are there")
    return seconds


def _start_worker(plan: Plan, out: Path, processes: int) -> None:
    """Once a process: its threads, and where what it prints goes."""
    global _runner
    threading.Thread(target=_end_with_the_suite, daemon=True).start()
    torch.set_num_threads(1)
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = os.open(logs / f"worker-{os.getpid()}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _runner = CellRunner(plan, out, processes)


def _end_with_the_suite() -> None:
    """A suite that is killed cannot tell its workers, which would go on without it."""
    if suite := multiprocessing.parent_process():
        suite.join()
        os._exit(1)


def _work(cell: Cell, feature_seconds: float) -> str | None:
    """Do one cell in a worker; returns what went wrong, with the error's own line last."""
    assert _runner is not None, "the worker was started by _start_worker"
    print(f"--- {cell.name}", flush=True)
    try:
        _runner.work(cell, feature_seconds)
    except Exception as error:  # whatever a method does, the others go on
        traceback.print_exc()
        said = " ".join(str(error).split()) or "without a word"
        return f"{traceback.format_exc()}\n{type(error).__name__}: {said}"
    return None


def accuracy_of(folder: Path) -> float:
    """Accuracy of a finished cell at the most choices seen, where the data set's claim is tested."""
    return float(read_json(folder / CELL)["accuracy"])
