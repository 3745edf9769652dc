"""Writers of one process on SQLite: they take turns, and none waits for ever."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service import sqlite
from service.app import create_app
from service.config import Settings
from service.db import Busy, db, transaction, writing


@pytest.fixture
def impatient(settings: Settings, tmp_path: Path) -> Flask:
    return create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db", busy_timeout=0.05))


@contextmanager
def somebody_writes(app: Flask) -> Iterator[threading.Event]:
    """Another thread is in a transaction, until the event is set or the block ends."""
    begun, ends = threading.Event(), threading.Event()

    def write() -> None:
        with app.app_context(), transaction():
            begun.set()
            assert ends.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(10)
        yield ends
    finally:
        ends.set()
        thread.join(10)


def test_a_writer_waits_until_another_is_done(settings: Settings, tmp_path: Path) -> None:
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db"))
    with somebody_writes(app) as ends, app.app_context():
        threading.Timer(0.1, ends.set).start()
        with transaction():
            assert ends.is_set()


def test_a_writer_that_waited_too_long_is_told_that_the_database_is_busy(impatient: Flask) -> None:
    with somebody_writes(impatient), impatient.app_context(), pytest.raises(Busy), transaction():
        pytest.fail("two were in a transaction at once")


def test_a_connection_for_writing_takes_the_lock_for_each_transaction_and_leaves_no_mark(impatient: Flask) -> None:
    with impatient.app_context():
        with writing() as one:
            for _ in range(2):
                one.execute(text("SELECT 1"))
                with pytest.raises(OperationalError, match="locked"), writing() as other:
                    other.execute(text("SELECT 1"))
                one.rollback()
        with db.engine.connect() as one, db.engine.connect() as other:
            assert [each.execute(text("SELECT 1")).scalar() for each in (one, other)] == [1, 1]


def test_a_turn_ends_with_its_transaction_however_that_ends(impatient: Flask) -> None:
    with impatient.app_context():
        with pytest.raises(ZeroDivisionError), transaction():
            raise ZeroDivisionError
        with transaction():
            pass


@pytest.fixture
def log(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The write-ahead log of an app that is entered; it is long with a few hundred kB."""
    monkeypatch.setattr(sqlite, "LONG", LONG)
    monkeypatch.setattr(sqlite, "_PAUSE", 0.01)
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db"))
    with app.app_context():
        write("CREATE TABLE said (words TEXT)")
        yield tmp_path / "greenroom.db-wal"


LONG, ONE = 400_000, 40_000
ALWAYS = 240
"""Writes that are several times as long together."""


def write(statement: str) -> None:
    with transaction():
        db.session.execute(text(statement))


def grown(log: Path, times: int = ALWAYS) -> int:
    """The most that the log has had while so much was written."""
    sizes = []
    for _ in range(times):
        write(f"INSERT INTO said VALUES (hex(zeroblob({ONE // 2})))")
        sizes.append(log.stat().st_size)
    return max(sizes)


@contextmanager
def somebody_always_reads(database: Path) -> Iterator[None]:
    """Two readers, of whom one begins before the other ends, until the block does."""
    over, begun = threading.Event(), threading.Event()

    def read() -> None:
        with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(database)) as other:
            one.execute("BEGIN").execute("SELECT count(*) FROM said").fetchone()
            begun.set()
            while not over.wait(0.002):
                other.execute("BEGIN").execute("SELECT count(*) FROM said").fetchone()
                one.rollback()
                one, other = other, one

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert begun.wait(10)
        yield
    finally:
        over.set()
        thread.join(10)


def test_the_log_stays_short_though_somebody_always_reads(log: Path) -> None:
    with somebody_always_reads(log.with_name("greenroom.db")):
        assert grown(log) < ALWAYS * ONE // 2


def test_by_itself_the_log_would_not_stay_short(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "shorten_log", lambda _engine: None)
    with somebody_always_reads(log.with_name("greenroom.db")):
        assert grown(log) > ALWAYS * ONE


def test_who_reads_for_long_holds_no_writer_up_and_is_met_again(log: Path) -> None:
    with closing(sqlite3.connect(log.with_name("greenroom.db"))) as backup:
        backup.execute("BEGIN").execute("SELECT count(*) FROM said").fetchone()
        most = grown(log)
        backup.rollback()
    assert most > ALWAYS * ONE
    assert grown(log) and log.stat().st_size < 2 * LONG


def test_a_log_that_cannot_be_shortened_undoes_nothing(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite, "closing", full)
    assert grown(log) > 2 * LONG
    assert db.session.scalar(text("SELECT count(*) FROM said")) == ALWAYS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_writers_use_the_connection_that_was_used_last(app: Flask) -> None:
    """What SQLite holds in memory of a file is good for as long as nobody else has written."""
    others = [db.engine.connect() for _ in range(3)]
    for one in others:
        one.close()
    used = set()
    for _ in range(4):
        with transaction():
            used.add(db.session.connection().connection.driver_connection)
    assert len(used) == 1
