"""The web application: routes, middleware, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from fsa.errors import FsaError
from fsa.serve.access import Gate
from fsa.serve.limits import Limits, error_answer
from fsa.serve.problems import Problem, Unavailable, Unprocessable
from fsa.serve.routes import chat, classify, judge, openrlhf, operations, people, questions, rerank, score
from fsa.serve.service import Service
from fsa.serve.shapes import ErrorAnswer
from fsa.serve.store.database import migrate
from fsa.serve.telemetry import Observed

# What is asked most often first: they are tried in this order.
_ROUTES = (score, openrlhf, classify, rerank, people, questions, judge, chat)
_SAID = {
    400: "No JSON.",
    401: "No key, or none that is known.",
    403: "The key may not do this.",
    404: "There is no such person, choice or service.",
    408: "The body did not arrive in time.",
    409: "The idempotency key was used for something else.",
    413: "The body is too large.",
    415: "The body is not called JSON.",
    422: "The request is not what it may be; the message says where.",
    429: "Too much is waiting; come again after Retry-After.",
    503: "The database cannot be reached, or the server is about to stop.",
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": words} for status, words in _SAID.items()
}
_LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]", "testserver"]


def create_app(service: Service) -> FastAPI:
    """The application over a service, whose tables are migrated when it starts."""
    app = FastAPI(
        title="fsa",
        summary="Rewards and answers for people of whom a few choices are known.",
        version=version("fsa"),
        lifespan=_lifespan,
    )
    app.state.service, app.state.gate = service, Gate(service)
    for module in _ROUTES:
        app.include_router(module.router, responses=_PROBLEMS)
    app.include_router(operations.router, responses={status: _PROBLEMS[status] for status in (401, 429, 503)})
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    settings = service.settings
    app.add_middleware(Limits, max_bytes=settings.max_body_bytes, seconds=settings.body_seconds)
    if settings.is_loopback:
        # A page in a browser must not reach a server without keys under a name of its own.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOCAL_NAMES)
    app.add_middleware(Observed, metrics=service.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await asyncio.to_thread(migrate, service.engine)
    service.check()
    service.start()
    yield
    await service.close()


async def _problem(_: Request, error: Any) -> JSONResponse:
    return error_answer(error)


async def _fsa_error(_: Request, error: Any) -> JSONResponse:
    return error_answer(Unprocessable(str(error)))


async def _database_error(_: Request, error: Any) -> JSONResponse:
    return error_answer(Unavailable("the database cannot be reached, or is busy"))


async def _invalid(request: Request, error: Any) -> JSONResponse:
    """Each fault with its place; what came is not repeated but where the library's own error does."""
    faults = [
        ".".join(str(part) for part in fault["loc"]) + ": " + fault["msg"].removeprefix("Value error, ")
        for fault in error.errors()
    ]
    # Of the members of a union each says its own.
    message = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
    if not _is_json(request):
        return _said("the body must be JSON, with Content-Type: application/json", 415, "invalid_request")
    is_json = not any(fault["type"] == "json_invalid" for fault in error.errors())
    return _said(message, 422 if is_json else 400, "invalid_request")


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method in ("GET", "PUT", "DELETE") or kind == "application/json" or kind.endswith("+json")


async def _http_error(_: Request, error: Any) -> JSONResponse:
    return _said(str(error.detail), error.status_code, "http_error", error.headers)


def _said(message: str, status: int, kind: str, headers: Any = None) -> JSONResponse:
    body = {"error": {"message": message, "type": kind}}
    # Half a surrogate pair, repeated from the request, cannot be written as UTF-8.
    body["error"]["message"] = message.encode("utf-8", "backslashreplace").decode()
    return JSONResponse(body, status, headers)


_HANDLERS: dict[Any, Any] = {
    Problem: _problem,
    FsaError: _fsa_error,
    RequestValidationError: _invalid,
    HTTPException: _http_error,
    OperationalError: _database_error,
    InterfaceError: _database_error,
    PoolTimeout: _database_error,
}
