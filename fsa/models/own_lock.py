"""`OwnLock`: lets one thread at a time into an object's methods."""

from __future__ import annotations

from threading import RLock
from types import TracebackType


class OwnLock:
    """A re-entrant lock that copies do not share: a copied or unpickled owner has a new one."""

    def __init__(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[OwnLock], tuple[()]]:
        return OwnLock, ()
