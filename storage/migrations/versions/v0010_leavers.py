"""Who has left, whose customers wait for somebody else, and how they are handed over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SEARCHABLE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HAS_REQUEST = sa.text("request_id <> ''")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "leavers",
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=False),
        sa.Column("name", SEARCHABLE, nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("userid", "left_at", name=op.f("pk_leavers")),
    )
    op.create_index("ix_leavers_name", "leavers", ["name"])
    _left_behind()
    op.create_table(
        "takeovers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takeovers")),
    )


def _left_behind() -> None:
    names = ("tier", "groups", "request_id", "taker", "outcome", "body")
    op.create_table(
        "left_behind",
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint("userid", "external_userid", name=op.f("pk_left_behind")),
    )
    op.create_index(
        "ix_left_behind_request",
        "left_behind",
        ["request_id", "outcome", "taker", "external_userid"],
        sqlite_where=HAS_REQUEST,
        postgresql_where=HAS_REQUEST,
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    for table in ("takeovers", "left_behind", "leavers"):
        op.drop_table(table)
