"""Load on a real server of this machine: `python -m eval.bench.serve`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

from eval.bench.figures import Figure, reported
from eval.bench.postgres import free_port
from eval.bench.serve_client import press
from eval.bench.serve_models import Load, save_load
from fsa.cli.recipes import run_recipe
from fsa.reports.report import Report

_HELD = 200  # requests that warm up, before the clock starts


def bench_serve(
    out: str = "runs/bench-serve",
    people: int = 1000,
    clients: int = 32,
    seconds: float = 10.0,
    repetitions: int = 3,
    memory_requests: int = 50_000,
    numbers: bool = True,
    texts: bool = True,
) -> Report:
    """Measure requests a second, latency, what micro-batching is worth, and memory over many requests.

    The server has one core and the clients another, where there are two. Each of the repetitions measures
    batches of 64 and of one in turn. Writes OUT/report.json.

    Args:
        out: Folder of the report.
        people: In the database, three choices each.
        clients: Requests under way at any moment.
        seconds: Of each measurement.
        repetitions: How often.
        memory_requests: Requests between the two looks at the server's memory; 0 leaves that out.
        numbers: Whether to measure options of eight numbers.
        texts: Whether to measure MiniLM on texts of 50 words, never the same twice.
    """
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fsa-bench-serve-") as folder:
        kinds = {**({"numbers": 4.0} if numbers else {}), **({"minilm": 1.1} if texts else {})}
        for kind, at_least in kinds.items():
            load = save_load(Path(folder) / kind, kind, people)
            figures += _speed(load, clients, seconds, repetitions, at_least)
            figures.append(_agreement(load))
        if memory_requests:
            load = save_load(Path(folder) / "memory", "numbers", people)
            figures.append(_memory(load, clients, memory_requests))
    return reported(figures, out, "eval.bench.serve")


def _speed(load: Load, clients: int, seconds: float, repetitions: int, at_least: float) -> list[Figure]:
    together: list[tuple[float, ...]] = []
    alone: list[tuple[float, ...]] = []
    for _ in range(repetitions):
        for measured, batch in ((together, 64), (alone, 1)):
            with serving(load, "--max-batch", str(batch)) as url:
                measured.append(_with_processor_time(url, load, clients, seconds))
    rate, median, tail, processor = (np.array(column) for column in zip(*together, strict=True))
    one, processor_alone = np.array([each[0] for each in alone]), np.array([each[3] for each in alone])
    words, times = f"{load.kind}, {clients} clients", (rate / one).tolist()
    return [
        Figure(f"{load.kind}_batching", f"{words}: times one at a time", times, at_least=at_least),
        # On a machine that others use as well, time on the wall is theirs too.
        Figure(
            f"{load.kind}_processor",
            f"{words}: processor time of the server, one at a time over batches",
            (processor_alone / processor).tolist(),
        ),
        Figure(f"{load.kind}_rate", f"{words}: requests a second", rate.tolist()),
        Figure(f"{load.kind}_rate_alone", f"{words}: requests a second, one at a time", one.tolist()),
        Figure(f"{load.kind}_p50", f"{words}: median latency, ms", median.tolist()),
        Figure(f"{load.kind}_p99", f"{words}: 99th percentile of latency, ms", tail.tolist()),
    ]


def _with_processor_time(url: str, load: Load, clients: int, seconds: float) -> tuple[float, ...]:
    """What `pressed` gives, and the processor time that the server took for a request, in ms."""
    process = server_process()
    before = sum(process.cpu_times()[:2])
    rate, median, tail = pressed(url, load, clients, seconds)
    taken = sum(process.cpu_times()[:2]) - before
    return rate, median, tail, 1000 * taken / (rate * seconds + _HELD)


def _agreement(load: Load) -> Figure:
    """Largest difference between a reward over HTTP and one of the Python API."""
    bodies = list(islice(load.bodies(), 200))
    with serving(load) as url:
        said = [_scored(url, body) for body in bodies]
    wanted = load.expected(bodies)
    apart = max(float(np.abs(np.array(a) - b).max()) for a, b in zip(said, wanted, strict=True))
    return Figure(
        f"{load.kind}_apart", f"{load.kind}: largest difference from the Python API", [apart], at_most=1e-6
    )


def _scored(url: str, body: dict[str, Any]) -> list[float]:
    asked = Request(f"{url}/v1/score", json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(asked, timeout=60) as answer:  # noqa: S310 # nosec B310 # our own server
        rewards: list[float] = json.load(answer)["reward"]
        return rewards


def _memory(load: Load, clients: int, requests: int) -> Figure:
    with serving(load) as url:
        process = server_process()
        pressed(url, load, clients, 0, requests=requests // 10)
        before = process.memory_info().rss
        pressed(url, load, clients, 0, requests=requests)
        grown = (process.memory_info().rss - before) / 1e6
    return Figure("memory_grown", f"memory grown over {requests:,} requests, MB", [grown], at_most=20)


_SERVER = [0]  # process id of the server that is running


def server_process() -> Any:
    """psutil's view of the server that is running."""
    import psutil

    return psutil.Process(_SERVER[0])


@contextmanager
def serving(load: Load, *options: str, core: int | None = 0) -> Iterator[str]:
    """URL of a server of the load's model and people, on a core (None: on any); its log goes to a file."""
    port = free_port()
    given = ["--model", str(load.model), "--store", load.store, "--port", str(port), *options]
    with (load.model / "log").open("a") as log:
        command = [sys.executable, "-m", "fsa.cli.main", "serve", *given]
        server = subprocess.Popen(  # noqa: S603 # nosec B603 # our own command, no shell
            command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    try:
        _SERVER[0] = server.pid
        if core is not None and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(server.pid, {core})
        url = f"http://127.0.0.1:{port}"
        wait(url, lambda: server.poll() is None)
        yield url
    finally:
        server.terminate()
        server.wait(60)


def pressed(
    url: str, load: Load, clients: int, seconds: float, requests: int = 0
) -> tuple[float, float, float]:
    """Requests a second, median and 99th percentile of latency in ms, from clients in one process."""
    with ProcessPoolExecutor(1) as elsewhere:
        return elsewhere.submit(
            _press, url, list(islice(load.bodies(), 2000)), clients, seconds, requests
        ).result()


def _press(
    url: str, bodies: list[dict[str, Any]], clients: int, seconds: float, requests: int
) -> tuple[float, float, float]:
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    press(url, cycle(bodies), clients, requests=_HELD)
    taken, latencies = press(url, cycle(bodies), clients, seconds=seconds, requests=requests)
    median, tail = np.percentile(latencies, [50, 99]) * 1000
    return len(latencies) / taken, float(median), float(tail)


def wait(url: str, is_alive: Callable[[], bool]) -> None:
    """Wait until a server is ready, for as long as its process is there and at most five minutes."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and is_alive():
        try:
            urlopen(f"{url}/ready", timeout=10).close()  # noqa: S310 # nosec B310 # our own server
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not get ready")


if __name__ == "__main__":
    run_recipe(bench_serve)
