"""Votes are found by who cast them: how long an approver usually takes."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_votes_userid", "votes", ["userid", "at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_votes_userid", "votes")
