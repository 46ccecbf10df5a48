"""Real server processes of a tiny model, which may be killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx

from eval.bench.postgres import free_port


class ServerProcess:
    """`fsa serve` in a process of its own.

    Args:
        model: Run folder.
        store: URL of the database.
        log: File that its log is added to.
        options: Further options.
    """

    def __init__(self, model: Path, store: str, log: Path, *options: str) -> None:
        self.port, self.log = free_port(), log
        command = [sys.executable, "-m", "fsa.cli.main", "serve", "--model", str(model), "--store", store]
        with log.open("a") as out:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *options],
                stdout=out,
                stderr=out,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def __enter__(self) -> "ServerProcess":
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.client.get("/ready").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server does not get ready:\n" + self.log.read_text())

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.client.close()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; its exit status."""
        self.process.send_signal(by)
        return self.process.wait(60)
