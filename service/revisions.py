"""Schema migrations: where they are, how they run, and whether the database fits the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.db import db

_LOCK = 0x67726D  # "grm": one process migrates a PostgreSQL database at a time
_PATIENCE = "5min"


class WrongSchema(Exception):
    """The database and the code do not fit; the text says what to do."""


def directory() -> Path:
    """Inside the wheel, or beside the package in a checkout."""
    packaged = Path(__file__).parent / "migrations"
    return packaged if packaged.exists() else Path(__file__).parent.parent / "migrations"


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(directory()))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The newest revision that the code knows."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None
    return found


def current() -> str | None:
    """The revision of the database; None when it is empty."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate() -> tuple[str | None, str]:
    """Bring the database to `head()`; (before, after). WrongSchema when it is newer than the code."""
    before = current()
    _refuse_newer(before)
    with db.engine.connect().execution_options(writes=True) as connection, _alone(connection):
        command.upgrade(config(connection), "head")
    return before, head()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """On PostgreSQL one process migrates at a time, however long it takes: the limits are those of requests.

    Others wait for their turn, and the migration for its tables, as long as _PATIENCE says: whoever asks for such a
    table meanwhile stands behind the migration.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    _say(connection, "SET statement_timeout = 0", f"SET lock_timeout = '{_PATIENCE}'")
    _say(connection, f"SELECT pg_advisory_lock({_LOCK})")
    try:
        yield
    finally:
        connection.rollback()
        _say(connection, f"SELECT pg_advisory_unlock({_LOCK})", "RESET statement_timeout", "RESET lock_timeout")


def _say(connection: Connection, *statements: str) -> None:
    for one in statements:
        connection.execute(text(one))
    connection.commit()


def check() -> None:
    """WrongSchema unless the database is at `head()`."""
    now_at = current()
    if now_at is None:
        raise WrongSchema("There is nothing in this database yet. Run: greenroom migrate")
    _refuse_newer(now_at)
    if now_at != head():
        raise WrongSchema("The database is older than this code. Run: greenroom migrate")


def is_whole() -> bool:
    """Whether SQLite finds its file in order, all of it. PostgreSQL looks at each page when it reads it."""
    if db.engine.dialect.name != "sqlite":
        return True
    with db.engine.connect() as connection:
        return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")


def _refuse_newer(revision: str | None) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise WrongSchema(f"The database ({revision}) is newer than this code. Install the newer Greenroom.")
