"""`KeyStore`: API keys, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, RowMapping, insert, select, update

from fsa.errors import ConfigError
from fsa.serve.store.database import WRITES
from fsa.serve.store.tables import API_KEY

SCOPES = ("read", "write", "erase")
TENANT = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Access:
    """What a request may do.

    Attributes:
        tenant: Whose people it sees.
        scopes: Of `SCOPES`.
    """

    tenant: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class StoredKey:
    """A key without its secret; times are seconds since 1970, UTC."""

    id: str
    access: Access
    created: float
    revoked: float | None


class KeyStore:
    """Keys in the database of people.

    Args:
        engine: A migrated database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._writing = engine, engine.execution_options(**WRITES)

    def add(self, tenant: str, scopes: Collection[str]) -> str:
        """A new key: shown once, kept nowhere.

        Raises:
            ConfigError: The tenant's name or a scope is not what it may be.
        """
        if not TENANT.fullmatch(tenant):
            raise ConfigError(f"tenant is {tenant!r}; it has 1 to 64 letters, digits, '.', '_' and '-'")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise ConfigError(f"scopes are {', '.join(SCOPES)}, one or more; came {', '.join(scopes)!r}")
        name = secrets.token_hex(6)
        # 256 random bits need no slow hash: there is nothing to guess.
        key = f"fsa_{name}_{secrets.token_urlsafe(32)}"
        row = {"id": name, "tenant": tenant, "hash": _hash(key), "created": time.time()}
        with self._writing.begin() as connection:
            connection.execute(
                insert(API_KEY).values(**row, scopes=" ".join(s for s in SCOPES if s in scopes))
            )
        return key

    def access(self, key: str) -> Access | None:
        """What a key opens; None for one that is unknown or revoked."""
        asked = select(API_KEY).where(API_KEY.c.hash == _hash(key), API_KEY.c.revoked.is_(None))
        with self._engine.begin() as connection:
            row = connection.execute(asked).mappings().first()
        return None if row is None else _access(row)

    def any(self) -> bool:
        """Whether there ever was a key: revoking the last one opens nothing."""
        with self._engine.begin() as connection:
            return connection.scalar(select(API_KEY.c.id).limit(1)) is not None

    def all(self) -> list[StoredKey]:
        """Every key, oldest first."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(API_KEY).order_by(API_KEY.c.created)).mappings()
            return [
                StoredKey(
                    row["id"],
                    _access(row),
                    row["created"],
                    row["revoked"],
                )
                for row in rows
            ]

    def revoke(self, name: str) -> None:
        """Shut a key out.

        Args:
            name: The key's id, its second part: `fsa_ID_...`.

        Raises:
            ConfigError: There is no such key, or it is revoked already.
        """
        key = update(API_KEY).where(API_KEY.c.id == name, API_KEY.c.revoked.is_(None))
        with self._writing.begin() as connection:
            if not connection.execute(key.values(revoked=time.time())).rowcount:
                raise ConfigError(f"there is no key {name!r} that is not revoked")


def _access(row: RowMapping) -> Access:
    return Access(row["tenant"], frozenset(row["scopes"].split()))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
