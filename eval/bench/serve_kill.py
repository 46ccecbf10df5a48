"""kill -9 under load, again and again: `python -m eval.bench.serve_kill`."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from eval.bench.postgres import free_port, postgres
from eval.bench.serve import wait
from eval.bench.serve_models import choices_of, save_load
from fsa.cli.recipes import run_recipe
from fsa.errors import StoreError
from fsa.serve.server import run
from fsa.serve.settings import Settings

_CLIENTS = 8


def serve_kill(kills: int = 10, seconds: float = 1.0) -> None:
    """Kill a server that is written to, start it again, and look for what it had answered; of both databases.

    Args:
        kills: Times, for SQLite and for PostgreSQL.
        seconds: Of load before each kill.

    Raises:
        StoreError: A choice that was answered is missing, or one is there twice.
    """
    for kind in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="fsa-kill-") as folder:
            model = save_load(Path(folder) / "model", "numbers", 1).model
            with postgres() if kind == "postgresql" else nullcontext(f"sqlite:///{folder}/people.db") as url:
                answered = killed(model, url, kills, seconds)
        print(f"{kind}: {kills} kills, {answered} choices answered, all there, none twice")


def killed(model: Path, store: str, kills: int, seconds: float) -> int:
    """The same of one model and database; how many choices were answered in all."""
    answered: set[int] = set()
    unsure: list[int] = []
    numbers = iter(range(10**9))
    for _ in range(kills):
        process, url = _start(model, store)
        # Those without an answer are sent again first: their keys make that harmless.
        again, unsure = unsure, []
        threading.Timer(seconds, os.kill, (process.pid, signal.SIGKILL)).start()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            wanted = [*again, *(next(numbers) for _ in range(2000))]
            for number, is_answered in zip(wanted, clients.map(partial(_add, url), wanted), strict=True):
                if is_answered:
                    answered.add(number)
                else:
                    unsure.append(number)
        process.join()
        unsure = unsure[: 4 * _CLIENTS]
    process, url = _start(model, store)
    _check(url, answered)
    process.terminate()
    process.join()
    return len(answered)


def _start(model: Path, store: str) -> tuple[Any, str]:
    """A server in a process of its own, forked so that imports are paid for once."""
    port = free_port()
    settings = Settings(str(model), store=store, port=port, max_choices=1_000_000)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(settings,))
    process.start()
    url = f"http://127.0.0.1:{port}"
    wait(url, process.is_alive)
    return process, url


def _serve(settings: Settings) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    run(settings)


def _add(url: str, number: int) -> bool:
    """Send a choice under a key of its own; whether it was answered."""
    body = json.dumps({"choices": choices_of("numbers", number)[:1]}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"key-{number}"}
    try:
        urlopen(Request(f"{url}/v1/people/p/choices", body, headers), timeout=30).close()  # noqa: S310 # nosec B310 # our own server
    except (URLError, OSError):
        return False
    return True


def _check(url: str, answered: set[int]) -> None:
    with urlopen(f"{url}/v1/people/p/choices", timeout=60) as answer:  # noqa: S310 # nosec B310 # our own server
        held = [json.dumps(one["record"]["options"]) for one in json.load(answer)["choices"]]
    wanted = {json.dumps(choices_of("numbers", number)[0]["options"]) for number in answered}
    if missing := wanted - set(held):
        raise StoreError(f"{len(missing)} of {len(wanted)} choices that were answered are missing")
    if len(held) != len(set(held)):
        raise StoreError(f"{len(held) - len(set(held))} choices are there twice")


if __name__ == "__main__":
    logging.disable(logging.INFO)
    run_recipe(serve_kill)
