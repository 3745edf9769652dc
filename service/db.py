"""The database: one metadata, one clock, one commit."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, event, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from uuid_utils import compat

from service.config import Settings

PUBLIC: dict[str, Any] = {"public": True}
"""`info` of a column that anybody may read. A column without it is private."""


class Utc(TypeDecorator[datetime]):
    """An aware UTC time on every database; SQLite would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Parent of every table; names for constraints so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Utc()}


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})

Busy = OperationalError
"""The database is locked or away: another try may do."""

_before_commit: list[Callable[[], None]] = []


def now() -> datetime:
    """The time, aware, in UTC. The only clock."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): sorted by time."""
    return compat.uuid7()


def before_commit(step: Callable[[], None]) -> Callable[[], None]:
    """Register a step that every transaction takes last; the audit chain's lock is held only then."""
    _before_commit.append(step)
    return step


def after_commit(step: Callable[[], None]) -> None:
    """Have something done once the open transaction has committed; not at all when it does not. It must not fail."""
    db.session().info.setdefault("after", []).append(step)


@contextmanager
def transaction(*, patience: float | None = None) -> Iterator[None]:
    """All or nothing. The one place that commits. What was read before it is read anew inside.

    `patience`: seconds to wait for SQLite's lock; those of the setting, unless somebody who reads writes by the way.
    Raises whatever its body raises, after a rollback; OperationalError when the database is locked or away.
    """
    session = db.session()
    assert not session.new and not session.dirty, "changes belong inside the transaction"
    session.rollback()
    after: list[Callable[[], None]] = []
    with _turn(patience):
        session.info |= {"writes": True, "patience": patience}
        try:
            yield
            session.flush()
            for step in _before_commit:
                step()
            session.commit()
            after = session.info.get("after", [])
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.clear()
    for step in after:
        step()


@contextmanager
def _turn(patience: float | None) -> Iterator[None]:
    """On SQLite the writers of a process queue. SQLite has them look for its lock now and then: some never get it."""
    turn: Lock | None = current_app.extensions["greenroom_turn"]
    if turn is None:
        yield
        return
    usual: float = current_app.extensions["greenroom_settings"].busy_timeout
    if not turn.acquire(timeout=usual if patience is None else patience):
        raise Busy("BEGIN IMMEDIATE", None, TimeoutError("others are writing"))
    try:
        yield
    finally:
        turn.release()


def insert_if_new(table: type[Base], values: dict[str, Any]) -> bool:
    """INSERT … ON CONFLICT DO NOTHING; whether it is new. A twin in another transaction is waited for."""
    insert: Any = sqlite_insert if db.engine.dialect.name == "sqlite" else postgresql_insert
    row = insert(table).values(**values).on_conflict_do_nothing()
    done = db.session.execute(row, execution_options={"preserve_rowcount": True})
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def insert_or_update(table: type[Base], values: dict[str, Any], key: str, *, when: Any) -> bool:
    """INSERT … ON CONFLICT (key) DO UPDATE … WHERE: whether the row holds `values` now. A twin is waited for."""
    insert: Any = sqlite_insert if db.engine.dialect.name == "sqlite" else postgresql_insert
    row = insert(table).values(**values)
    others = {name: value for name, value in values.items() if name != key}
    row = row.on_conflict_do_update(index_elements=[key], set_=others, where=when)
    done = db.session.execute(row, execution_options={"preserve_rowcount": True})
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the engine; SQLite is told to be durable and to wait, PostgreSQL to check its connections."""
    app.config["SQLALCHEMY_DATABASE_URI"] = _absolute(settings.database_url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    app.extensions["greenroom_turn"] = Lock() if settings.sqlite else None
    db.init_app(app)
    with app.app_context():
        if settings.sqlite:
            _prepare_sqlite(db.engine, settings.busy_timeout)


def _absolute(url: str) -> str:
    """A relative SQLite path is seen from the working directory, as people expect, not from Flask's."""
    parsed = make_url(url)
    if not url.startswith("sqlite") or not parsed.database or parsed.database == ":memory:":
        return url
    return f"sqlite:///{Path(parsed.database).expanduser().resolve()}"


def _engine_options(settings: Settings) -> dict[str, Any]:
    hidden = {
        "hide_parameters": True,  # an error's text would quote them: addresses, seals, digests
        "json_serializer": partial(json.dumps, ensure_ascii=False),  # an escaped letter takes up to 12 bytes
    }
    if settings.sqlite:
        return hidden | {"connect_args": {"timeout": settings.busy_timeout}, "pool_size": settings.threads}
    wait = f"{int(settings.busy_timeout * 1000)}ms"
    return hidden | {
        "pool_pre_ping": True,
        "pool_size": settings.database_pool,
        "max_overflow": 0,
        "pool_timeout": settings.busy_timeout,
        "connect_args": {
            "connect_timeout": int(settings.busy_timeout) or 1,
            "options": f"-c lock_timeout={wait} -c statement_timeout=30s -c timezone=UTC",
        },
    }


def _log_ahead(cursor: sqlite3.Cursor) -> None:
    """Turn the write-ahead log on, once in a file's life. While another has the lock, it waits like everybody.

    SQLite itself refuses the switch at once, so that two who start on a new file would refuse each other.
    """
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        cursor.execute("BEGIN EXCLUSIVE")  # waits as long as it is told to, and raises then
        cursor.execute("COMMIT")


def _prepare_sqlite(engine: Engine, busy_timeout: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, below: the driver would start transactions late
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout * 1000)}")
        _log_ahead(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A writer asks for the lock at once: a reader that becomes a writer cannot wait for it (SQLITE_BUSY).
        info = db.session().info if db.session.registry.has() else {}
        if info.get("writes") or connection.get_execution_options().get("writes"):
            patience = info.get("patience")
            _begin_to_write(connection, busy_timeout if patience is None else patience, busy_timeout)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: Connection, patience: float, usual: float) -> None:
    """Take SQLite's lock, asking every few milliseconds.

    SQLite would ask ever more seldom, in the end ten times a second: of several processes, the one that writes much
    gets the lock again and again, and the others, the worker among them, never.
    """
    end = time.monotonic() + patience
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 8")  # it asks after 1, 2 and 5 ms
    try:
        while time.monotonic() < end:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, for its error as SQLAlchemy tells it
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
        cursor.close()
