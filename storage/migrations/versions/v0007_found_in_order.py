"""Requests of one name are found newest first; what an ended process had in hand is found at once.

Neither grows with how much is on file, or waits.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAMES = ("subject_name", "requester_name")
WORK_IS_LEASED = sa.text("state = 0 AND leased = 1")


def upgrade() -> None:
    """Make the indexes, wider ones in place of three."""
    _replace("created_at", [*NAMES, "id"])
    for name in NAMES:
        _replace(name, ["created_at"])
    op.create_index(
        "ix_work_leased",
        "work",
        ["leased"],
        sqlite_where=WORK_IS_LEASED,
        postgresql_where=WORK_IS_LEASED,
    )


def downgrade() -> None:
    """Make them what they were."""
    op.drop_index("ix_work_leased", "work")
    for name in ("created_at", *NAMES):
        _replace(name, [])


def _replace(column: str, others: list[str]) -> None:
    name = f"ix_requests_{column}"
    op.drop_index(name, "requests")
    op.create_index(name, "requests", [column, *others])
