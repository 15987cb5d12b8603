"""Temporary permissions, absences, freezes, and customers on their way to another member."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LIVE = sa.text("is_open = 1")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_table(
        "absences",
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("userid", name=op.f("pk_absences")),
    )
    op.create_table(
        "freezes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freezes")),
    )
    op.create_table(
        "transfers",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("taker", sa.Text(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "external_userid", name=op.f("pk_transfers")),
    )
    op.create_index("ix_transfers_customer", "transfers", ["external_userid", "asked_at"])
    for name, table, columns in (
        ("ix_grants_userid", "grants", ["userid", "action"]),
        ("ix_freezes_until", "freezes", ["until"]),
        ("ix_transfers_open", "transfers", ["userid", "taker"]),
    ):
        op.create_index(name, table, columns, sqlite_where=LIVE, postgresql_where=LIVE)


def downgrade() -> None:
    """Drop them, with everything in them."""
    for table in ("transfers", "freezes", "absences", "grants"):
        op.drop_table(table)
