"""Customer groups with the outsiders in them, and which adds were lines of one list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chats",
        sa.Column("chat_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_chats")),
    )
    op.create_index("ix_chats_seen_at", "chats", ["seen_at"])
    op.create_table(
        "chat_members",
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("external_userid", "chat_id", name=op.f("pk_chat_members")),
    )
    op.create_index("ix_chat_members_chat_id", "chat_members", ["chat_id"])
    op.create_table(
        "list_parts",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "request_id", name=op.f("pk_list_parts")),
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    for table in ("list_parts", "chat_members", "chats"):
        op.drop_table(table)
