"""Middleware that reads a request's body before anything else does, no larger and no slower than allowed."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fsa.serve.problems import Problem, TooLarge, TooSlow


class Limits:
    """Answers 413 to a body that is too large, as soon as that is known, and 408 to one that does not end.

    Args:
        app: What answers the others.
        max_bytes: Largest body.
        seconds: Longest time for a body to arrive.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            said = Headers(scope=scope).get("content-length", "0")
            if said.isdecimal() and int(said[:20]) > self.max_bytes:
                raise _too_large(self.max_bytes)
            async with asyncio.timeout(self.seconds):
                messages = await read_body(receive, self.max_bytes)
        except TimeoutError:
            slow = TooSlow(f"the body did not arrive within {self.seconds:g} seconds")
            await error_answer(slow, {"connection": "close"})(scope, receive, send)
        except TooLarge as error:
            # What is still to come is not read: the connection is of no more use.
            await error_answer(error, {"connection": "close"})(scope, receive, send)
        else:
            await self.app(scope, Replayed(messages, receive), send)


async def read_body(receive: Receive, max_bytes: int | None = None) -> list[Message]:
    """The messages that a request's body comes in.

    Args:
        receive: Gives one after the other.
        max_bytes: Most bytes that they may have; None for any number.

    Raises:
        TooLarge: There are more.
    """
    messages, size = [], 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if max_bytes is not None and size > max_bytes:
            raise _too_large(max_bytes)
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages


class Replayed:
    """Gives messages that were read again, then those that come after.

    Args:
        messages: What was read.
        receive: Gives what comes after.
    """

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages, self._receive = iter(messages), receive

    async def __call__(self) -> Message:
        for message in self._messages:
            return message
        return await self._receive()


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"a body may have {max_bytes} bytes")


def error_answer(error: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as every route says it."""
    headers = dict(headers or {})
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"error": {"message": str(error), "type": error.kind}}, error.status, headers)
