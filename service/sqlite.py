"""SQLite as it must be told to be: durable, and fair to those who wait for its lock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from service import metrics

Writes = Callable[[], tuple[bool, float | None]]
"""Whether the transaction that begins is one that writes, and for how many seconds it waits for the lock at most."""
_BUSY = metrics.counter("greenroom_sqlite_busy", "Times that SQLite's lock was asked for in vain, for 8 ms each.")


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


def prepare(engine: Engine, busy_timeout: float, writes: Writes) -> None:
    """Make its connections durable, and have each of its transactions that writes begin with the lock."""

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
        is_writing, patience = writes()
        if is_writing or connection.get_execution_options().get("writes"):
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
                _BUSY.inc()
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, for its error as SQLAlchemy tells it
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
        cursor.close()
