"""Who is asking: keys, tenants and scopes, as dependencies of routes."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from fsa.serve.problems import Forbidden, Unauthorized
from fsa.serve.service import Service
from fsa.serve.store.keys import SCOPES, Access

OPEN = Access("default", frozenset(SCOPES))
"""Rights of every request where there is no key."""

_MAX_KNOWN = 10_000


class Gate:
    """Turns keys into what they open, and remembers that for some seconds.

    Args:
        service: Whose keys.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[str, tuple[float, Access]] = {}

    async def admit(self, key: str | None) -> Access:
        """What a key opens.

        Raises:
            Unauthorized: It opens nothing.
        """
        known = self._known.get(key or "")
        if known is not None and known[0] > time.monotonic():
            return known[1]
        access = await self._service.database.run(self._look_up, key)
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[key or ""] = (time.monotonic() + self._service.settings.key_seconds, access)
        return access

    def _look_up(self, key: str | None) -> Access:
        access = self._service.keys.access(key) if key else None
        # Some clients cannot but send a key: where there is none, whatever they send is as good.
        if access is None and self._service.is_open:
            return OPEN
        if access is None:
            raise Unauthorized("this server wants a key: Authorization: Bearer fsa_...")
        return access


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


class Needs(HTTPBearer):
    """A dependency: who is asking, who may do what `scope` says.

    One dependency, not one for the header and one for the key: each costs as much as a small reward.

    Args:
        scope: Of `SCOPES`.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(auto_error=False, scheme_name="key", description="A key that `fsa keys` made.")
        self._scope = scope

    async def __call__(self, request: Request) -> Access:  # type: ignore[override]
        given = await super().__call__(request)
        gate: Gate = request.app.state.gate
        access = await gate.admit(given.credentials if given else None)
        request.state.tenant = access.tenant
        if self._scope not in access.scopes:
            raise Forbidden(f"this key may {', '.join(sorted(access.scopes))}; this needs {self._scope}")
        return access


async def _service(request: Request) -> Service:
    return service_of(request)


Served = Annotated[Service, Depends(_service)]
Reader = Annotated[Access, Depends(Needs("read"))]
Changer = Annotated[Access, Depends(Needs("write"))]
Eraser = Annotated[Access, Depends(Needs("erase"))]
