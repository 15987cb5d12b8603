"""The migrations make what `tables.py` says, on both databases, also when started twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from storage.database import Database
from storage.schema import configuration, newest_revision, revision
from storage.tables import metadata

DEFINITIONS = {
    "sqlite": """
        SELECT name, sql FROM sqlite_master
        WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'alembic_version' AND type <> 'table'
    """,
    "postgresql": """
        SELECT indexname, replace(indexdef, current_schema(), '') FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
        UNION SELECT tgname, replace(pg_get_triggerdef(oid), current_schema(), '') FROM pg_trigger
        WHERE tgrelid = 'audit'::regclass
        UNION SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND conname NOT LIKE 'alembic%'
    """,
}


def outside(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


@pytest.fixture
def bare(empty_url: str) -> Iterator[Engine]:
    engine = outside(empty_url)
    yield engine
    engine.dispose()


def definitions(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text(DEFINITIONS[engine.dialect.name]))
        return {row[0]: " ".join(str(row[1]).split()) for row in rows}


def columns(engine: Engine) -> dict[str, list[tuple[str, str, bool]]]:
    inspector = inspect(engine)
    return {
        table: [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)]
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrations_make_exactly_the_tables_of_the_program(
    engine: Engine, bare: Engine
) -> None:
    """Indexes with their conditions, constraints and triggers are compared as the database has
    them, because Alembic does not look at all of it."""
    metadata.create_all(bare)

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert columns(engine) == columns(bare)
    assert definitions(engine) == definitions(bare)
    assert any(name.startswith("audit_no") for name in definitions(engine))
    assert any("WHERE" in definition for definition in definitions(engine).values())


def test_an_upgrade_of_an_upgraded_database_changes_nothing(db_url: str, engine: Engine) -> None:
    before = definitions(engine)
    database = Database.open(db_url)
    database.upgrade()
    database.close()

    assert definitions(engine) == before
    with engine.connect() as connection:
        assert revision(connection) == newest_revision()


def test_nodes_that_start_together_upgrade_once(empty_url: str, bare: Engine) -> None:
    program = (
        "import sys\n"
        "from storage.database import Database\n"
        "db = Database.open(sys.argv[1])\n"
        "db.upgrade()\n"
        "db.close()\n"
    )
    root = Path(__file__).parents[2]
    nodes = [
        subprocess.Popen([sys.executable, "-c", program, empty_url], cwd=root) for _ in range(2)
    ]

    assert [node.wait(60) for node in nodes] == [0, 0]
    with bare.connect() as connection:
        assert revision(connection) == newest_revision()
        heads = connection.execute(text("SELECT seq, hash FROM audit_head")).all()
    assert heads == [(0, "0" * 64)]


def test_a_failed_migration_leaves_nothing_behind(empty_url: str, bare: Engine) -> None:
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE drafts (x INTEGER)"))

    database = Database.open(empty_url)
    with pytest.raises(Exception, match="drafts"):
        database.upgrade()
    database.close()

    assert set(inspect(bare).get_table_names()) <= {"drafts", "alembic_version"}


def test_the_first_migration_can_be_taken_back(bare: Engine) -> None:
    for _ in range(2):
        with bare.begin() as connection:
            command.upgrade(configuration(connection), "head")
        with bare.begin() as connection:
            command.downgrade(configuration(connection), "base")

    assert set(inspect(bare).get_table_names()) == {"alembic_version"}
