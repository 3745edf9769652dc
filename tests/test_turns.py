"""Writers of one process on SQLite: they take turns, and none waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from service.app import create_app
from service.config import Settings
from service.db import Busy, transaction


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


def test_a_turn_ends_with_its_transaction_however_that_ends(impatient: Flask) -> None:
    with impatient.app_context():
        with pytest.raises(ZeroDivisionError), transaction():
            raise ZeroDivisionError
        with transaction():
            pass
