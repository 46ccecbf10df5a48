"""A server on a port of its own, in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from eval.bench.postgres import free_port
from fsa.serve.application import create_app
from fsa.serve.server import Patient
from fsa.serve.service import Service


@contextmanager
def listening(service: Service) -> Iterator[int]:
    """The port on which a service answers."""
    config = uvicorn.Config(
        create_app(service), port=free_port(), http=Patient, log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield config.port
    finally:
        server.should_exit = True
        thread.join(60)
