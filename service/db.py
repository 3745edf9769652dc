"""The database: one metadata, one clock, one commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Executable,
    MetaData,
    Table,
    TypeDecorator,
    insert,
    make_url,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import QueuePool
from uuid_utils import compat

from service import metrics, sqlite
from service.config import Settings
from service.errors import Unsure

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

_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}

Busy = OperationalError
"""The database is locked or away: another try may do."""

_CONNECTION = "connection"
"""In `info` of a session: where its statements go, until its transaction ends."""

_before_commit: list[Callable[[], None]] = []


def now() -> datetime:
    """The time, aware, in UTC. The only clock."""
    return datetime.now(UTC)


def seconds_since(moment: datetime | None) -> float:
    """How long ago something was; 0 of what is to come, and of what never was."""
    return max(0.0, (now() - moment).total_seconds()) if moment else 0.0


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


def on_commit(app: Flask, step: Callable[[], None]) -> None:
    """Have something done after every transaction of a process, before its request is answered. It must not fail."""
    app.extensions["greenroom_on_commit"].append(step)


@contextmanager
def transaction(*, patience: float | None = None) -> Iterator[None]:
    """All or nothing. The one place that commits. What was read before it is read anew inside.

    `patience`: seconds to wait for SQLite's lock; those of the setting, unless somebody who reads writes by the way.
    Raises whatever its body raises, after a rollback; OperationalError when the database is locked or away, and Unsure
    of that kind when it went away while it committed.
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
            _commit(session)
            after = session.info.get("after", [])
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.clear()
    for step in (*after, *current_app.extensions["greenroom_on_commit"]):
        step()


def _commit(session: Session) -> None:
    """Raises Unsure where the server went away meanwhile. SQLite always says what became of it."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    try:
        session.commit()
    except OperationalError as error:
        if is_sqlite or not error.connection_invalidated:
            raise
        raise Unsure(error.statement, error.params, error.orig or error) from error
    if is_sqlite:
        sqlite.shorten_log(db.engine)


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


@contextmanager
def writing() -> Iterator[Connection]:
    """A connection beside the session's whose transactions, however many, write. It does not commit by itself."""
    with db.engine.connect() as connection:
        info = connection.info  # of the driver's connection, which others get after this
        info[sqlite.WRITES] = True
        try:
            yield connection
        finally:
            connection.rollback()
            info.pop(sqlite.WRITES, None)  # it is emptied when the server went away meanwhile


def table_of(model: type[Base]) -> Table:
    """Where a model's rows stand. A statement about a table, made once with `bindparam`, costs a fifth of the ORM's."""
    return cast("Table", model.__table__)


def run(statement: Executable, values: Any = None, /, **named: Any) -> CursorResult[*tuple[Any, ...]]:
    """Execute such a statement. What waits in the session is written first, as before every question of the ORM.

    It goes to the session's connection: by way of the session it would take twice as long. It knows no savepoints.
    """
    session = db.session()
    session.flush()
    connection = session.info.get(_CONNECTION)
    if connection is None or connection.closed:
        connection = session.info[_CONNECTION] = session.connection()
    return cast("CursorResult[*tuple[Any, ...]]", connection.execute(statement, named if values is None else values))


def insert_rows(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT rows of which nobody needs an object; what waits in the session first."""
    if rows:
        run(_insert(model), rows)


def insert_if_new(model: type[Base], values: Mapping[str, Any]) -> bool:
    """INSERT … ON CONFLICT DO NOTHING; whether it is new. A twin in another transaction is waited for."""
    return run(_insert_if_new(model, db.engine.dialect.name), values).rowcount == 1


@cache
def _insert(model: type[Base]) -> Any:
    return insert(table_of(model))


@cache
def _insert_if_new(model: type[Base], dialect: str) -> Any:
    return _INSERTS[dialect](table_of(model)).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def insert_or_update(table: type[Base], values: dict[str, Any], key: str, *, when: Any) -> bool:
    """INSERT … ON CONFLICT (key) DO UPDATE … WHERE: whether the row holds `values` now. A twin is waited for."""
    row = _INSERTS[db.engine.dialect.name](table).values(**values)
    others = {name: value for name, value in values.items() if name != key}
    row = row.on_conflict_do_update(index_elements=[key], set_=others, where=when)
    return run(row.execution_options(preserve_rowcount=True)).rowcount == 1


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the engine; SQLite is told to be durable and to wait, PostgreSQL to check its connections."""
    app.config["SQLALCHEMY_DATABASE_URI"] = _absolute(settings.database_url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    app.extensions["greenroom_on_commit"] = []
    app.extensions["greenroom_turn"] = Lock() if settings.sqlite else None
    db.init_app(app)
    with app.app_context():
        if settings.sqlite:
            sqlite.prepare(db.engine, settings.busy_timeout, _writes)


def _writes() -> tuple[bool, float | None]:
    """Whether the open transaction is one that writes, and its patience."""
    info = db.session().info if db.session.registry.has() else {}
    return info.get("writes", False), info.get("patience")


def _connections() -> Mapping[str, float]:
    pool = db.engine.pool
    if not isinstance(pool, QueuePool):
        return {}
    return {"in use": pool.checkedout(), "idle": pool.checkedin()}


metrics.reading(
    "greenroom_database_connections", "Connections of this process to the database.", _connections, label="state"
)
metrics.reading(
    "greenroom_database_pool_size", "Connections that this process keeps, at most.",
    lambda: db.engine.pool.size() if isinstance(db.engine.pool, QueuePool) else 0,
)  # fmt: skip


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
        file = {"connect_args": {"timeout": settings.busy_timeout}, "pool_size": settings.threads}
        return hidden | file | {"pool_use_lifo": True}  # what was used last has in memory what it has written
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
