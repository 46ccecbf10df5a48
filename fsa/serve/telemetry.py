"""What the server says of itself: metrics for Prometheus, and one line of JSON a request.

Neither holds a text, a choice, a key or a person's name: routes stand for paths.
"""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
import uuid
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("fsa.serve")

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that names the folder where worker processes add up their metrics."""


class Metrics:
    """Counters and histograms of one process; of all workers together where these share a folder."""

    def __init__(self) -> None:
        own: dict[str, Any] = {"registry": CollectorRegistry(), "namespace": "fsa"}
        self._registry: CollectorRegistry = own["registry"]
        self.requests = Counter("requests", "Requests answered", ["method", "route", "status"], **own)
        self.seconds = Histogram("request_seconds", "Time to answer", ["route"], buckets=_SECONDS, **own)
        self.batch = Histogram("batch_requests", "Requests in a batch", ["what"], buckets=_SIZES, **own)
        self.beliefs = Counter("beliefs", "Beliefs looked up", ["found"], **own)
        self.choices = Counter("choices_added", "Choices added", **own)
        self.erased = Counter("people_erased", "People erased", **own)
        self.waiting = Gauge("waiting", "Requests that wait", multiprocess_mode="livesum", **own)

    def beliefs_looked_up(self, found: int, read: int) -> None:
        """Count people found in memory, and people read."""
        self.beliefs.labels("memory").inc(found)
        self.beliefs.labels("read").inc(read)

    def page(self) -> bytes:
        """All metrics in Prometheus' text format."""
        if not os.environ.get(SHARED_METRICS):
            return generate_latest(self._registry)
        all_processes = CollectorRegistry()
        MultiProcessCollector(all_processes)
        return generate_latest(all_processes)


class Observed:
    """Middleware: times, counts and logs every request, and answers 500 where the code below failed.

    Args:
        app: What answers.
        metrics: Where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, request_id = time.perf_counter(), uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        sent = _Sent(send, request_id)
        try:
            await self.app(scope, receive, sent)
        except Exception as error:
            LOG.error("failed", extra={"said": {"request": request_id, **_failure(error)}})
            if not sent.status:
                failed = {"error": {"message": f"internal error; request {request_id}", "type": "internal"}}
                await JSONResponse(failed, 500)(scope, receive, sent)
        self._note(scope, sent, time.perf_counter() - started, request_id)

    def _note(self, scope: Scope, sent: _Sent, seconds: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self.metrics.requests.labels(scope["method"], route, sent.status).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        said = {
            "request": request_id,
            "tenant": scope["state"].get("tenant", ""),
            "method": scope["method"],
            "route": route,
            "status": sent.status,
            "ms": round(1000 * seconds, 2),
            "bytes": sent.num_bytes,
        }
        LOG.info("answered", extra={"said": said})


class _Sent:
    """Passes messages on, and notes what they were."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self.status, self.num_bytes = 0, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            named = (b"x-request-id", self._request_id.encode())
            message = {**message, "headers": [*message.get("headers", []), named]}
        else:
            self.num_bytes += len(message.get("body", b""))
        await self._send(message)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Of an exception it says the kind and the place, never its words."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if record.exc_info is None else "exception",
            **getattr(record, "said", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line |= _failure(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _failure(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "at": [f"{os.path.basename(f.filename)}:{f.lineno}" for f in frames],
    }
