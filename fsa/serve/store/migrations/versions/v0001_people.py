"""People, their choices, which of these were taken back, and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "person",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("revision", sa.String(32), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "choice",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("tenant", "person", "key", "place", name="choice_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("choice_of_person", "choice", ["tenant", "person", "number"])
    choice = sa.ForeignKey("choice.number", ondelete="CASCADE")
    op.create_table(
        "undone",
        sa.Column("number", _NUMBER, choice, primary_key=True, autoincrement=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
    )


def downgrade() -> None:
    """Drop the tables, and all that is in them."""
    for table in ("api_key", "undone", "choice", "person"):
        op.drop_table(table)
