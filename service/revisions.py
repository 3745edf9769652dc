"""Schema migrations: where they are, how they run, and whether the database fits the code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Column, Connection, String, Table, delete, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from service.db import Base, db, writing

_LOCK = 0x67726D  # "grm": one process migrates a PostgreSQL database at a time
_PATIENCE = 300.0
"""Seconds to wait for another migration, and for tables that somebody uses."""
_STAND_ASIDE, _PAUSE = "2s", 1.0
"""Whoever asks for a table stands behind a migration that waits for it: so it waits for a moment, and asks again."""
_REACH = Table("schema_reach", Base.metadata, Column("oldest", String(32), primary_key=True))


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
    with writing() as connection, _alone(connection):
        until = time.monotonic() + _PATIENCE
        while not _upgraded(connection, is_last=time.monotonic() > until):
            time.sleep(_PAUSE)
    return before, head()


def _upgraded(connection: Connection, *, is_last: bool) -> bool:
    """One transaction over all steps; False when somebody uses a table that one of them needs, and it may try again."""
    try:
        command.upgrade(config(connection), "head")
    except OperationalError as error:
        connection.rollback()
        if is_last or not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise
        return False
    return True


def note_reach(connection: Connection) -> None:
    """Say, in the transaction of the steps, after which of them older code cannot go on: `CONTRACTS` in a migration.

    Such a step drops or narrows what that code uses. All others only add to it.
    """
    if inspect(connection).has_table(_REACH.name):
        steps = ScriptDirectory.from_config(config()).walk_revisions()
        oldest = next(one.revision for one in steps if getattr(one.module, "CONTRACTS", False))
        connection.execute(delete(_REACH))
        connection.execute(insert(_REACH).values(oldest=oldest))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """On PostgreSQL one process migrates at a time, however long it takes: the limits are those of requests.

    Others wait for their turn.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    _say(connection, "SET statement_timeout = 0", f"SET lock_timeout = '{int(_PATIENCE * 1000)}ms'")
    _say(connection, f"SELECT pg_advisory_lock({_LOCK})", f"SET lock_timeout = '{_STAND_ASIDE}'")
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
    """WrongSchema unless the database is at `head()`, or newer and made to be used by this code, too."""
    now_at = current()
    if now_at is None:
        raise WrongSchema("There is nothing in this database yet. Run: greenroom migrate")
    if now_at not in _known() and _reaches_us():
        return
    _refuse_newer(now_at)
    if now_at != head():
        raise WrongSchema("The database is older than this code. Run: greenroom migrate")


def is_whole() -> bool:
    """Whether SQLite finds its file in order, all of it. PostgreSQL looks at each page when it reads it."""
    if db.engine.dialect.name != "sqlite":
        return True
    with db.engine.connect() as connection:
        return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")


def _known() -> set[str]:
    return {one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()}


def _reaches_us() -> bool:
    """Whether a newer database says that this code may go on: it knows the last step that older code cannot follow."""
    with db.engine.connect() as connection:
        oldest = connection.scalar(select(_REACH.c.oldest))
    return oldest in _known()


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in _known():
        raise WrongSchema(f"The database ({revision}) is newer than this code. Install the newer Greenroom.")
