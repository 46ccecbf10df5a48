"""Server processes: one, or several that share a port and a database."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import tempfile
from typing import Any, ClassVar

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fsa.serve.application import create_app
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from fsa.serve.store.database import migrate
from fsa.serve.telemetry import SHARED_METRICS

_SETTINGS = "FSA_SERVE"  # environment variable by which worker processes learn what to serve
_LARGEST_HEAD = 64_000  # bytes of a request's line and headers


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, but a request whose head does not end is hung up on.

    Without this, a client that sends a header a minute holds a connection for ever.
    """

    seconds: ClassVar[float] = 20.0

    _limit: asyncio.TimerHandle | None = None
    _num_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit = self.loop.call_later(self.seconds, self.transport.close)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._num_bytes += len(data)
            if self._limit is None:
                self._limit = self.loop.call_later(self.seconds, self.transport.close)
        super().data_received(data)
        if self._limit is not None and self._num_bytes > _LARGEST_HEAD:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._patient_no_more()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patient_no_more()
        super().connection_lost(exc)

    def _patient_no_more(self) -> None:
        self._num_bytes = 0
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def run(settings: Settings) -> None:
    """Serve until told to stop; requests that were accepted are answered first.

    Raises:
        CheckpointError: A model cannot be opened.
        StoreError: The database cannot be reached.
        ConfigError: The server would be open to other machines without a key.
    """
    Patient.seconds = settings.body_seconds
    if settings.workers == 1:
        service = Service(settings)
        _ready(service)
        uvicorn.run(_settled(create_app(service)), **_options(settings))
        return
    # What is wrong is said once, by this process, before any worker starts.
    _ready(Service(settings))
    with tempfile.TemporaryDirectory(prefix="fsa-metrics-") as folder:
        os.environ |= {_SETTINGS: settings.to_json(), SHARED_METRICS: folder}
        where = f"{__name__}:{worker_app.__name__}"
        uvicorn.run(where, factory=True, workers=settings.workers, **_options(settings))


def worker_app() -> FastAPI:
    """The application of a worker process, as its parent was told to serve it."""
    settings = Settings.from_json(os.environ[_SETTINGS])
    Patient.seconds = settings.body_seconds
    return _settled(create_app(Service(settings)))


def _settled(app: FastAPI) -> FastAPI:
    """The application, with all that is there for good taken out of garbage collection.

    A whole collection walks the objects of torch and transformers, a third of a second in which a request
    waits.
    """
    gc.collect()
    gc.freeze()
    return app


def _ready(service: Service) -> None:
    migrate(service.engine)
    service.check()
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "http": Patient,
        "log_config": _LOGGING,
        "access_log": False,  # its lines hold paths, and those people's names
        "server_header": False,
        "limit_concurrency": 2 * settings.max_queue,
        "timeout_graceful_shutdown": 60,
        "ws": "none",
        # A worker imports torch and opens the models before it answers its parent.
        "timeout_worker_healthcheck": 300,
    }


_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "fsa.serve.telemetry.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {
        "fsa.serve": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
