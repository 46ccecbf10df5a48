"""`post_json`: one HTTP request whose every outcome is a value: an answer, or a named failure."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

_MOST_BYTES = 16 * 2**20  # of a body; a server that sends more is not answering the question


@dataclass(frozen=True)
class Answered:
    """A whole answer, of whatever status.

    Attributes:
        status: The HTTP status.
        text: The body; bytes that are no UTF-8 are replaced.
        retry_after: Seconds that the server asks to wait; 0 where it does not.
    """

    status: int
    text: str
    retry_after: float = 0.0


@dataclass(frozen=True)
class Failed:
    """No whole answer came.

    Attributes:
        problem: "time-out", "no connection", "truncated body" or "oversized body".
    """

    problem: str


def post_json(url: str, body: Any, headers: Mapping[str, str], timeout: float) -> Answered | Failed:
    """Send JSON and wait for the whole answer. Redirects are not followed: a key goes where it was meant to.

    Args:
        url: Where to.
        body: Anything that JSON holds.
        headers: Besides the content's type.
        timeout: Seconds that the request may take as a whole, however the server spreads its bytes.
    """
    request = Request(  # noqa: S310 (the engine takes http and https addresses alone)
        url,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "User-Agent": "fsa", **headers},
        method="POST",
    )
    deadline = _Deadline(timeout)
    try:
        with deadline, _OPENER.open(request, timeout=timeout) as answer:
            came = _read(answer.status, answer.headers, answer)
    except HTTPError as error:
        with deadline.again(), error:
            came = _read_failed(error)
    except (TimeoutError, URLError, HTTPException, OSError, ValueError) as error:
        came = Failed(_name(error))
    return Failed("time-out") if deadline.is_over else came


class _Deadline:
    """Closes a request's connection when its time is over, whatever it is doing.

    A socket's own timeout begins anew with every byte that comes.
    """

    _of_thread = threading.local()

    def __init__(self, seconds: float) -> None:
        self.end, self.is_over = time.monotonic() + seconds, False
        self.socket: socket.socket | None = None

    def __enter__(self) -> _Deadline:
        self._of_thread.current = self
        self._timer = threading.Timer(max(self.end - time.monotonic(), 0), self._close)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._of_thread.current = None

    def again(self) -> _Deadline:
        """The same end, for what is still to be read."""
        return self

    @classmethod
    def watch(cls, connection: HTTPConnection) -> None:
        """Note the socket of a connection that this thread's request has made."""
        if (current := getattr(cls._of_thread, "current", None)) is not None:
            current.socket = connection.sock
            if current.is_over:
                current._close()

    def _close(self) -> None:
        self.is_over = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _Deadline.watch(self)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _Deadline.watch(self)


class _Handler(HTTPHandler):
    def http_open(self, req: Request) -> Any:
        return self.do_open(_Connection, req)


class _SecureHandler(HTTPSHandler):
    def https_open(self, req: Request) -> Any:
        return self.do_open(_SecureConnection, req, context=self._context)  # type: ignore[attr-defined]


def _read_failed(error: HTTPError) -> Answered | Failed:
    try:
        return _read(error.code, error.headers, error)
    except (TimeoutError, HTTPException, OSError):
        return Answered(error.code, "")


def _read(status: int, headers: Message, body: IO[bytes]) -> Answered | Failed:
    raw = body.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        return Failed("oversized body")
    # http.client notices a body that ends early only where it reads without a limit.
    promised = headers.get("Content-Length", "")
    if promised.isdigit() and len(raw) < int(promised):
        return Failed("truncated body")
    return Answered(status, raw.decode("utf-8", "replace"), _seconds(headers.get("Retry-After")))


def _name(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return "time-out"
    return "truncated body" if isinstance(reason, IncompleteRead) else "no connection"


def _seconds(retry_after: str | None) -> float:
    """A number of seconds; a date, which the standard allows too, counts as no wish."""
    try:
        seconds = float(retry_after or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirects, _Handler, _SecureHandler)
