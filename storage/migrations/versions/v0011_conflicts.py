"""Companies and unionids to find colleagues' customers by; reports in the order they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SEARCHABLE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HAS_UNIONID = sa.text("unionid <> ''")
_HAS_STEM = sa.text("stem <> ''")


def upgrade() -> None:
    """Make the tables, a column and the indexes.

    Who is on file already is found by company and unionid once WeCom shows them again.
    """
    unionid = sa.Column("unionid", sa.Text(), nullable=False, server_default="")
    with op.batch_alter_table("customers") as customers:
        customers.add_column(unionid)
    _partial("ix_customers_unionid", "customers", "unionid", _HAS_UNIONID)
    op.create_table(
        "company_names",
        sa.Column("part", _SEARCHABLE, nullable=False),
        sa.Column("core", _SEARCHABLE, nullable=False),
        sa.Column("stem", _SEARCHABLE, nullable=False),
        sa.PrimaryKeyConstraint("part", "core", name=op.f("pk_company_names")),
    )
    _partial("ix_company_names_stem", "company_names", "stem", _HAS_STEM)
    op.create_table(
        "company_customers",
        sa.Column("core", _SEARCHABLE, nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "core", "external_userid", "userid", name=op.f("pk_company_customers")
        ),
    )
    of_relation = ["external_userid", "userid"]
    op.create_index("ix_company_customers_relation", "company_customers", of_relation)
    _make_questions()


def _make_questions() -> None:
    op.create_table(
        "reports",
        sa.Column("seq", _SERIAL, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reports")),
    )
    op.create_index(op.f("ix_reports_request_id"), "reports", ["request_id"])
    op.create_index("ix_reports_key", "reports", ["key", "since", "seq"])
    op.create_table(
        "owner_questions",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "userid", name=op.f("pk_owner_questions")),
    )
    op.create_table(
        "owner_notices",
        sa.Column("userid", sa.Text(), nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("last_report", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("userid", "external_userid", name=op.f("pk_owner_notices")),
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    tables = ("owner_notices", "owner_questions", "reports", "company_customers", "company_names")
    for table in tables:
        op.drop_table(table)
    op.drop_index("ix_customers_unionid", "customers")
    with op.batch_alter_table("customers") as customers:
        customers.drop_column("unionid")


def _partial(name: str, table: str, column: str, where: sa.TextClause) -> None:
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
