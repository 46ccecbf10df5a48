"""`PeopleStore`: people and their choices, each tenant's apart."""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from fsa.serve.problems import Conflict, NotFound, Unprocessable
from fsa.serve.store.database import WRITES
from fsa.serve.store.tables import CHOICE, PERSON, UNDONE

Who = tuple[str, str]
"""Tenant and id of a person."""


@dataclass(frozen=True)
class StoredPerson:
    """A person, without their choices.

    Attributes:
        id: The caller's name for them.
        revision: Another one after every change of the choices.
        created: Seconds since 1970, UTC.
        num_choices: Choices that were not taken back.
    """

    id: str
    revision: str
    created: float
    num_choices: int


@dataclass(frozen=True)
class StoredChoice:
    """A choice as it came.

    Attributes:
        id: The server's name for it.
        record: The record, without its user.
        key: Idempotency key of the request that brought it.
        created: Seconds since 1970, UTC.
        undone: When it was taken back, or None.
    """

    id: str
    record: dict[str, Any]
    key: str
    created: float
    undone: float | None


class PeopleStore:
    """People and their choices in a database that any number of servers share.

    What a method has returned from is on the disk. Nothing that belongs to another tenant is ever read.

    Args:
        engine: A migrated database.
        max_choices: Most choices that a person may have.
    """

    def __init__(self, engine: Engine, max_choices: int = 1000) -> None:
        self._engine, self._writing = engine, engine.execution_options(**WRITES)
        self._max_choices = max_choices

    def check(self) -> None:
        """Reach the database, or raise what keeps us from it."""
        with self._engine.connect() as connection:
            connection.execute(select(1))

    def put(self, who: Who) -> tuple[StoredPerson, bool]:
        """The person, and whether they are new; one that is there stays as they are."""
        with self._writing.begin() as connection:
            is_new = _add_person(connection, who)
            return _person(connection, who), is_new

    def get(self, who: Who) -> StoredPerson:
        """The person.

        Raises:
            NotFound: The tenant has none of this id.
        """
        with self._engine.begin() as connection:
            return _person(connection, who)

    def erase(self, who: Who) -> int:
        """Delete the person with all their choices; how many there were.

        Raises:
            NotFound: The tenant has none of this id.
        """
        with self._writing.begin() as connection:
            _lock(connection, who)
            number = connection.scalar(select(func.count()).select_from(CHOICE).where(*_of(who))) or 0
            connection.execute(delete(PERSON).where(PERSON.c.tenant == who[0], PERSON.c.id == who[1]))
        self._forget_log()
        return number

    def add_choices(self, who: Who, records: Sequence[Mapping[str, Any]], key: str) -> tuple[list[str], bool]:
        """Add choices, all or none; the same again under the same key adds nothing. A new person is made.

        Args:
            who: The person.
            records: Valid records.
            key: The caller's name for this request.

        Returns:
            Ids of the choices, and whether they were added just now.

        Raises:
            Conflict: The key was used for other choices.
            Unprocessable: The person would have too many.
        """
        with self._writing.begin() as connection:
            _add_person(connection, who)
            _lock(connection, who)
            known = _with_key(connection, who, key)
            if known:
                if [record for _, record in known] != [dict(record) for record in records]:
                    raise Conflict(f"key {key!r} was used for other choices of this person; take a new one")
                return [name for name, _ in known], False
            self._check_room(connection, who, len(records))
            now = time.time()
            rows: list[dict[str, Any]] = [
                {
                    "id": uuid.uuid4().hex,
                    "tenant": who[0],
                    "person": who[1],
                    "key": key,
                    "place": place,
                    "record": json.dumps(record, ensure_ascii=False),
                    "created": now,
                }
                for place, record in enumerate(records)
            ]
            connection.execute(insert(CHOICE), rows)
            _revise(connection, who)
        return [row["id"] for row in rows], True

    def undo(self, who: Who, choice: str) -> bool:
        """Take one choice back; False where it was taken back before.

        Raises:
            NotFound: The person has no such choice.
        """
        with self._writing.begin() as connection:
            _lock(connection, who)
            asked = select(CHOICE.c.number).where(*_of(who), CHOICE.c.id == choice)
            number = connection.scalar(asked)
            if number is None:
                raise NotFound(f"{who[1]!r} has no choice {choice!r}")
            if connection.scalar(select(UNDONE.c.number).where(UNDONE.c.number == number)) is not None:
                return False
            connection.execute(insert(UNDONE).values(number=number, created=time.time()))
            _revise(connection, who)
        return True

    def choices(self, who: Who) -> list[StoredChoice]:
        """All choices of a person, in the order they came, those taken back among them.

        Raises:
            NotFound: The tenant has no such person.
        """
        with self._engine.begin() as connection:
            _person(connection, who)
            return [_choice(row) for row in connection.execute(_choices([who])).mappings()]

    def revisions(self, people: Collection[Who]) -> dict[Who, str]:
        """Revision of each person that there is."""
        with self._engine.begin() as connection:
            found = connection.execute(_REVISIONS, {"people": list(people)})
            return {(tenant, name): revision for tenant, name, revision in found}

    def records(self, people: Collection[Who]) -> dict[Who, list[dict[str, Any]]]:
        """Records of each person's choices that were not taken back, in the order they came."""
        found: dict[Who, list[dict[str, Any]]] = defaultdict(list)
        with self._engine.begin() as connection:
            for row in connection.execute(_choices(people)).mappings():
                if row["undone"] is None:
                    found[row["tenant"], row["person"]].append(json.loads(row["record"]))
        return {who: found[who] for who in people}

    def _check_room(self, connection: Connection, who: Who, more: int) -> None:
        held = connection.scalar(select(func.count()).select_from(CHOICE).where(*_of(who))) or 0
        if held + more > self._max_choices:
            raise Unprocessable(
                f"a person may have {self._max_choices} choices, those taken back among them; {who[1]!r} has "
                f"{held}, and {more} more came"
            )

    def _forget_log(self) -> None:
        """Empty SQLite's write-ahead log, which may still hold what was erased from the file."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert raw is not None
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


# Made once: putting it together takes as long as running it, and every batch of requests does.
_REVISIONS = select(PERSON.c.tenant, PERSON.c.id, PERSON.c.revision).where(
    tuple_(PERSON.c.tenant, PERSON.c.id).in_(bindparam("people", expanding=True))
)


def _of(who: Who) -> tuple[Any, Any]:
    return CHOICE.c.tenant == who[0], CHOICE.c.person == who[1]


def _choices(people: Collection[Who]) -> Select[Any]:
    return (
        select(CHOICE, UNDONE.c.created.label("undone"))
        .outerjoin(UNDONE, UNDONE.c.number == CHOICE.c.number)
        .where(tuple_(CHOICE.c.tenant, CHOICE.c.person).in_(list(people)))
        .order_by(CHOICE.c.number)
    )


def _choice(row: RowMapping) -> StoredChoice:
    return StoredChoice(row["id"], json.loads(row["record"]), row["key"], row["created"], row["undone"])


def _with_key(connection: Connection, who: Who, key: str) -> list[tuple[str, dict[str, Any]]]:
    asked = (
        select(CHOICE.c.id, CHOICE.c.record).where(*_of(who), CHOICE.c.key == key).order_by(CHOICE.c.place)
    )
    return [(name, json.loads(record)) for name, record in connection.execute(asked)]


def _add_person(connection: Connection, who: Who) -> bool:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"tenant": who[0], "id": who[1], "revision": uuid.uuid4().hex, "created": time.time()}
    added = dialect.insert(PERSON).values(row).on_conflict_do_nothing().returning(PERSON.c.id)
    return connection.scalar(added) is not None


def _lock(connection: Connection, who: Who) -> None:
    """Lock the person until the transaction ends. (SQLite has one writer anyway.)"""
    asked = select(PERSON.c.id).where(PERSON.c.tenant == who[0], PERSON.c.id == who[1]).with_for_update()
    if connection.scalar(asked) is None:
        raise _not_found(who)


def _revise(connection: Connection, who: Who) -> None:
    person = update(PERSON).where(PERSON.c.tenant == who[0], PERSON.c.id == who[1])
    connection.execute(person.values(revision=uuid.uuid4().hex))


def _person(connection: Connection, who: Who) -> StoredPerson:
    asked = select(PERSON).where(PERSON.c.tenant == who[0], PERSON.c.id == who[1])
    row = connection.execute(asked).mappings().first()
    if row is None:
        raise _not_found(who)
    held = select(func.count()).select_from(CHOICE.outerjoin(UNDONE, UNDONE.c.number == CHOICE.c.number))
    number = connection.scalar(held.where(*_of(who), UNDONE.c.number.is_(None))) or 0
    return StoredPerson(row["id"], row["revision"], row["created"], number)


def _not_found(who: Who) -> NotFound:
    return NotFound(f"there is no person {who[1]!r}")
