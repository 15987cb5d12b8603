"""Why a version of the rules came into force, versions that wait for it, and waivers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    for name in ("reason", "report"):
        op.add_column("policies", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "candidates",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("is_shadow", sa.SmallInteger(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_candidates")),
    )
    op.create_table(
        "waivers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
    )
    live = sa.text("is_open = 1")
    for name, columns in (("requester", ["requester", "action"]), ("approver", ["approver"])):
        op.create_index(
            f"ix_waivers_{name}", "waivers", columns, sqlite_where=live, postgresql_where=live
        )


def downgrade() -> None:
    """Drop them, with everything in them."""
    op.drop_table("waivers")
    op.drop_table("candidates")
    op.drop_column("policies", "report")
    op.drop_column("policies", "reason")
