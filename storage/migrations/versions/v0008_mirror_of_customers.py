"""Readings of all customers, who is watched since when, and what was found late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FOLLOWED = sa.text("state IN ('added', 'deleted_by_customer')")


def upgrade() -> None:
    """Make the tables and the index."""
    op.create_table(
        "readings",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_readings")),
    )
    op.create_table(
        "watched_members",
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("userid", name=op.f("pk_watched_members")),
    )
    op.create_table(
        "late_finds",
        sa.Column("reading", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reading", "userid", "external_userid", name=op.f("pk_late_finds")),
    )
    op.create_index(
        "ix_relations_followed",
        "relations",
        ["userid", "external_userid"],
        sqlite_where=FOLLOWED,
        postgresql_where=FOLLOWED,
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    op.drop_index("ix_relations_followed", "relations")
    for table in ("late_finds", "watched_members", "readings"):
        op.drop_table(table)
