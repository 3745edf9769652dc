"""How a process learns that what the public is told has changed, whoever changed it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Protocol
from uuid import UUID

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.readcache import queries
from service.readcache.queries import CHANNEL, Change
from service.readcache.shared import page_key, site_key, sites_pages_key

log = logging.getLogger(__name__)

BOUND = 1.0
"""Seconds: what was learnt from PostgreSQL longer ago is not relied on."""
_TOO_LONG = 600.0
"""Seconds after which PostgreSQL may have forgotten changes that this process has not seen."""


class Listener(Protocol):
    def drop(self, tags: Iterable[str]) -> None: ...
    def clear(self) -> None: ...


class Changes(Protocol):
    """`caught_up` is asked at every request; it is False when nothing kept may be relied on."""

    def listen(self, listener: Listener) -> None: ...
    def caught_up(self) -> bool: ...
    def close(self) -> None: ...


def keys_of(changes: Iterable[Change]) -> set[str]:
    """The surrogate keys of what has changed."""
    found: set[str] = set()
    for place, site in changes:
        found |= {site_key(site)} if place == site else {page_key(place), sites_pages_key(site)}
    return found


def changes_of(engine: Engine) -> SqliteChanges | PostgresChanges:
    """What the database of an engine offers. Nothing is opened before somebody listens."""
    if engine.dialect.name == "sqlite":
        return SqliteChanges(Path(engine.url.database or ""))
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresChanges(engine, address)


class SqliteChanges:
    """Asks the file at each request whether anybody has committed (a look at memory that all processes share)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version = self._seq = -1

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def caught_up(self) -> bool:
        try:
            self._connection = self._connection or self._open()
            version = queries.data_version(self._connection)
            if version != self._version:
                self._read(self._connection)
                self._version = version
        except sqlite3.Error as error:
            self._lose(error)
            return False
        return True

    def _open(self) -> sqlite3.Connection:
        """Never for writing, never waiting: this is asked on the event loop. Whoever stops the loop closes it."""
        there = f"{self._path.as_uri()}?mode=ro"
        return sqlite3.connect(there, uri=True, timeout=0, isolation_level=None, check_same_thread=False)

    def _read(self, connection: sqlite3.Connection) -> None:
        newest = queries.last(connection)
        if self._seq < 0 or newest < self._seq:  # the first time; or another file's content was put here
            self._listener.clear()
        elif newest > self._seq:
            self._listener.drop(keys_of(queries.since(connection, self._seq)))
        self._seq = newest

    def _lose(self, error: Exception) -> None:
        if self._version >= 0:
            log.warning("nothing kept can be relied on", exc_info=error)
        self._version = self._seq = -1
        self.close()
        self._listener.clear()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresChanges:
    """Is told by PostgreSQL (LISTEN), and asks it three times in `BOUND` seconds and after each commit of its own.

    Whoever wrote through this process so reads what they wrote. What others write is known within milliseconds; where
    nothing is heard from PostgreSQL (a pooler in between, a broken connection), within `BOUND`.
    """

    def __init__(self, engine: Engine, address: str) -> None:
        self._engine = engine
        self._address = address
        self._horizon = 0
        self._known: set[tuple[int, UUID, UUID]] = set()
        self._good_until = 0.0
        self._turn = Lock()
        self._over = Event()
        self._thread = Thread(target=self._hear, name="changes", daemon=True)

    def listen(self, listener: Listener) -> None:
        self._listener = listener
        self._thread.start()

    def caught_up(self) -> bool:
        return time.monotonic() < self._good_until

    def catch_up(self) -> None:
        """Learn what has changed until now. Never raises: what could not be learnt is not relied on."""
        with self._turn:
            asked_at = time.monotonic()
            try:
                horizon, found = queries.from_horizon(self._engine, self._horizon)
            except SQLAlchemyError as error:
                self._good_until = 0.0
                log.warning("nothing kept can be relied on", exc_info=error)
                return
            if not self._horizon or asked_at - self._good_until > _TOO_LONG:
                self._listener.clear()
            else:
                self._listener.drop(keys_of((place, site) for _, place, site in found - self._known))
            self._horizon, self._known = horizon, found
            self._good_until = asked_at + BOUND

    def _hear(self) -> None:
        while not self._over.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.catch_up()
                    while not self._over.is_set():
                        for _ in connection.notifies(timeout=BOUND / 3, stop_after=1):
                            pass
                        self.catch_up()
            except psycopg.Error as error:
                log.warning("cannot hear of changes", exc_info=error)
                self._over.wait(BOUND)

    def close(self) -> None:
        self._over.set()
        self._thread.join(timeout=5)
