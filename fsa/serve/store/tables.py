"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

# SQLite counts by itself only in a column of its own INTEGER type.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

PERSON = Table(
    "person",
    METADATA,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(200), primary_key=True),
    # Another one after every change of the person's choices: beliefs are cached under it.
    Column("revision", String(32), nullable=False),
    Column("created", Double, nullable=False),  # seconds since 1970, UTC, as all times here
)

CHOICE = Table(
    "choice",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),  # in the order they came
    Column("id", String(32), nullable=False, unique=True),
    Column("tenant", String(64), nullable=False),
    Column("person", String(200), nullable=False),
    # What makes sending twice harmless: the caller's word for the request, and the place in it.
    Column("key", String(200), nullable=False),
    Column("place", Integer, nullable=False),
    Column("record", Text, nullable=False),  # JSON, as it came, without the user
    Column("created", Double, nullable=False),
    ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"], ondelete="CASCADE"),
    UniqueConstraint("tenant", "person", "key", "place", name="choice_once"),
    Index("choice_of_person", "tenant", "person", "number"),
    sqlite_autoincrement=True,
)

# Choices are only ever added; taking one back is a row as well.
UNDONE = Table(
    "undone",
    METADATA,
    Column(
        "number",
        _NUMBER,
        ForeignKey("choice.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("created", Double, nullable=False),
)

API_KEY = Table(
    "api_key",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),  # sha256 in hex; the key itself is nowhere
    Column("scopes", String(64), nullable=False),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)
