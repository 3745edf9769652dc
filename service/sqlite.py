"""SQLite as it must be told to be: durable, and fair to those who wait for its lock."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

from service import metrics

log = logging.getLogger(__name__)

Writes = Callable[[], tuple[bool, float | None]]
"""Whether the transaction that begins is one that writes, and for how many seconds it waits for the lock at most."""
WRITES = "writes"
"""In `info` of a connection: whether all its transactions write."""
LONG = 8 * 2**20
"""Bytes of a write-ahead log that is to begin anew."""
_WAITS, _PAUSE = 50, 5.0
"""Milliseconds for those who read what the log has; and seconds until they are waited for again."""
_again_from: WeakKeyDictionary[Engine, float] = WeakKeyDictionary()
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

    def begin(connection: Any) -> None:
        # A writer asks for the lock at once: a reader that becomes a writer cannot wait for it (SQLITE_BUSY).
        is_writing, patience = writes()
        if is_writing or connection.info.get(WRITES):
            _begin_to_write(connection.cursor(), busy_timeout if patience is None else patience, busy_timeout)
        else:
            connection.execute("BEGIN")

    # Not an event: while an engine has one, SQLAlchemy looks for listeners at every statement, a fifth of its time.
    engine.dialect.do_begin = begin  # type: ignore[assignment]


def _begin_to_write(cursor: sqlite3.Cursor, patience: float, usual: float) -> None:
    """Take SQLite's lock, asking every few milliseconds.

    SQLite would ask ever more seldom, in the end ten times a second: of several processes, the one that writes much
    gets the lock again and again, and the others, the worker among them, never.
    """
    end = time.monotonic() + patience
    cursor.execute("PRAGMA busy_timeout = 8")  # it asks after 1, 2 and 5 ms
    try:
        while time.monotonic() < end:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                _BUSY.inc()
        cursor.execute("BEGIN IMMEDIATE")
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
        cursor.close()


def shorten_log(engine: Engine) -> None:
    """After a commit: begin the write-ahead log anew once it is long.

    SQLite does so by itself, but only when nobody reads. Under load that moment does not come: the log would grow until
    it fills the disk, and then nothing can be moved out of it any more. Now writers wait, and those who begin to read
    need no log. Somebody who reads for long, a backup say, is not waited for, but met again a little later. It never
    raises: what was committed is, whatever becomes of the log.
    """
    ahead = Path(f"{engine.url.database}-wal")
    is_kept = True
    try:
        if time.monotonic() < _again_from.get(engine, 0.0) or ahead.stat().st_size < LONG:
            return
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {_WAITS}")
            try:
                is_kept, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {usual}")
    except FileNotFoundError:
        return  # it is in memory
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        log.warning("the write-ahead log stays as it is: %s", type(error).__name__)
    if is_kept:
        _again_from[engine] = time.monotonic() + _PAUSE
