"""The store's database: how it is reached, and how its tables come to be as this version wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from fsa.errors import StoreError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x667361  # "fsa": the number under which PostgreSQL lets one process migrate at a time
_PATIENCE = 10  # seconds to wait for a connection, or for another's write to end

WRITES = {"writes": True}
"""Execution options of a connection that will write."""


def open_database(url: str) -> Engine:
    """Connections to a store; nothing is reached yet.

    Args:
        url: `sqlite:///people.db` (relative), `sqlite:////var/people.db` (absolute), or
            `postgresql://user:password@host/database`.

    Raises:
        StoreError: The URL is of another kind, or names no file.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=8,
            connect_args={"connect_timeout": _PATIENCE},
        )
    engine = create_engine(parsed, connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def migrate(engine: Engine, version: str = "head") -> None:
    """Bring the tables to a version, one process at a time.

    Args:
        engine: The database.
        version: The newest ("head"), the number of another, or "base" for no tables at all.

    Raises:
        StoreError: The database cannot be reached or written, or belongs to a newer version.
    """
    try:
        if engine.dialect.name == "sqlite":
            Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{engine.url.database}.lock"):
                _migrate(engine, version)
        else:
            _migrate(engine, version)
    except (SQLAlchemyError, OSError, CommandError) as error:
        raise StoreError(
            f"{without_password(engine.url)}: cannot be brought to version {version}: {error}"
        ) from error


def without_password(url: URL) -> str:
    """A URL without its password."""
    return url.render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "store must be a URL, such as sqlite:///people.db or postgresql://user@host/database"
        ) from error
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(f"store is {without_password(parsed)}; it is sqlite:///FILE or postgresql://...")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"store is {without_password(parsed)}; it has to name a file")
    return parsed


def _migrate(engine: Engine, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    move = command.upgrade if version == "head" else command.downgrade
    with engine.execution_options(**WRITES).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        move(config, version)


def _prepare(connection: Any, _record: Any) -> None:
    """Set up a connection to SQLite."""
    connection.isolation_level = None  # transactions begin where `_begin` says so
    for pragma in (
        "journal_mode = WAL",  # readers and a writer at once, in any number of processes
        "synchronous = FULL",  # what was answered is on the disk
        "foreign_keys = ON",
        "secure_delete = ON",  # what is erased is overwritten
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that begins by reading could find the file changed when it comes to write.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
