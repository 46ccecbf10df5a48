"""`Direct`: a route whose usual requests go straight from bytes to its function, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send

from fsa.errors import FsaError
from fsa.serve.access import Needs, service_of
from fsa.serve.limits import Replayed, read_body

_JSON = {b"application/json", b"application/json; charset=utf-8"}


class Direct(APIRoute):
    """A route for what is asked often: FastAPI's own way costs several times what a small reward does.

    Its function takes a pydantic model `body`, `access` and `service`, and gives a pydantic model. A body
    that is one is parsed once, from its bytes. Any other request goes FastAPI's way, which says what is wrong
    with it, so callers and schema see no difference.

    Args:
        path, endpoint, settings: As of every route.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        super().__init__(path, endpoint, **settings)
        hints = get_type_hints(endpoint, include_extras=True)
        self._bodies: TypeAdapter[BaseModel] = TypeAdapter(hints["body"])
        self._needs: Needs = hints["access"].__metadata__[0].dependency

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] not in (self.methods or ()) or not _is_json(scope):
            await super().handle(scope, receive, send)
            return
        messages = await read_body(receive)
        try:
            body = self._bodies.validate_json(b"".join(message.get("body", b"") for message in messages))
        except (ValidationError, FsaError):
            await super().handle(scope, Replayed(messages, receive), send)
            return
        request = Request(scope)
        access = await self._needs(request)
        answer = await self.endpoint(body=body, access=access, service=service_of(request))
        await _send(send, self.status_code or 200, answer.__pydantic_serializer__.to_json(answer))


def _is_json(scope: Scope) -> bool:
    return any(name == b"content-type" and value.lower() in _JSON for name, value in scope["headers"])


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
