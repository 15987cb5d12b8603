"""Brings the tables to this program's version with Alembic, without any file to configure it."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 7_306_281_450_031  # any number, the same on every node
_IN_THIS_PROCESS = threading.Lock()  # Alembic keeps the running migration in module globals


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction; other nodes wait their turn."""
    with _IN_THIS_PROCESS, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            # A migration that cannot get its lock at once would stop the traffic behind it.
            connection.execute(text("SET LOCAL lock_timeout = '4s'"))
            connection.execute(text("SET LOCAL statement_timeout = '5min'"))
        command.upgrade(configuration(connection), "head")


def revision(connection: Connection) -> str | None:
    """Return the version of the tables, None if there are none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the version this program wants."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for this connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
