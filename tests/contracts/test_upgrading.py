"""An upgrade is one transaction, and several may start at once."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service import revisions
from service.app import create_app
from service.cli.operate import upgrade
from service.cli.printing import UNAVAILABLE
from service.config import Settings
from service.db import db, writing
from service.revisions import WrongSchema

from .test_migrations import _migrate, downgrade, fresh, say, tables

__all__ = ["fresh"]

_BROKEN = """
from alembic import op
revision, down_revision = "9999", "{head}"
def upgrade():
    op.execute("SELECT nothing FROM nowhere")
"""


def test_a_migration_that_fails_takes_the_ones_before_it_back(
    fresh: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(revisions.directory(), broken)
    (broken / "versions" / "9999_broken.py").write_text(_BROKEN.format(head=revisions.head()))
    with monkeypatch.context() as patched:
        patched.setattr(revisions, "directory", lambda: broken)
        with pytest.raises(Exception, match="nowhere"):
            revisions.migrate()
    assert tables() == set()
    revisions.migrate()
    revisions.check()


def test_who_waits_too_long_for_another_upgrade_is_told_and_changes_nothing(
    fresh: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "_PATIENCE", 0.2)
    url = fresh.config["SQLALCHEMY_DATABASE_URI"]
    impatient = create_app(replace(settings, database_url=url, busy_timeout=0.2))
    lock = "SELECT 1" if url.startswith("sqlite") else f"SELECT pg_advisory_lock({revisions._LOCK})"
    with writing() as other:
        other.execute(text(lock))
        with impatient.app_context():
            refused = impatient.test_cli_runner().invoke(args=["migrate"])
            db.engine.dispose()
    assert "The database is busy or away. Nothing was changed." in refused.output
    assert refused.exit_code == UNAVAILABLE
    assert tables() == set()


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_new_file_that_another_writes_to_is_waited_for(settings: Settings, tmp_path: Path, lock: str) -> None:
    other = sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)
    other.execute(lock)
    release = threading.Timer(0.1, other.rollback)
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/new.db"))
    with app.app_context():
        release.start()
        with db.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        db.engine.dispose()
    release.join()
    other.close()


def test_who_reads_meanwhile_is_not_held_up_by_a_migration_that_waits(
    fresh: Flask, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL whoever asks for a table stands behind whoever waits for it: so the migration stands aside."""
    monkeypatch.setattr(revisions, "_STAND_ASIDE", "100ms")
    monkeypatch.setattr(revisions, "_PAUSE", 0.05)
    revisions.migrate()
    downgrade("0027")
    url = fresh.config["SQLALCHEMY_DATABASE_URI"]
    if url.startswith("sqlite"):
        return  # whoever reads a file never waits
    with db.engine.connect() as busy:
        busy.execute(text("SELECT count(*) FROM comments"))  # until the block ends
        with ThreadPoolExecutor(1) as one:
            migration = one.submit(_migrate, fresh)
            for _ in range(5):
                with db.engine.connect() as reader:
                    reader.execute(text("SET lock_timeout = '2s'"))
                    assert reader.scalar(text("SELECT count(*) FROM comments")) == 0
            assert not migration.done()
            busy.rollback()
            assert migration.result(30) == ("0027", revisions.head())


def test_a_migration_that_ends_a_deadlock_begins_again(fresh: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends the one that came last, and that is it."""
    monkeypatch.setattr(revisions, "_PAUSE", 0.05)
    errors, whole = [OperationalError("CREATE INDEX", None, DeadlockDetected())], revisions.command.upgrade

    def upgraded(*all_: Any) -> None:
        whole(*all_)
        if errors:
            raise errors.pop()

    monkeypatch.setattr(revisions.command, "upgrade", upgraded)
    assert revisions.migrate() == (None, revisions.head())
    assert revisions.current() == revisions.head() and errors == []


def test_a_newer_database_that_reaches_this_code_is_worked_on(fresh: Flask) -> None:
    """A process of the version before goes on while the next one is rolled out."""
    upgrade()
    say("UPDATE alembic_version SET version_num = '9999'")
    revisions.check()
    assert fresh.test_client().get("/readyz").status_code == 200
    with pytest.raises(WrongSchema, match="newer than this code"):
        revisions.migrate()
    say("UPDATE schema_reach SET oldest = '9999'")
    with pytest.raises(WrongSchema, match="newer than this code"):
        revisions.check()


def test_how_far_the_schema_reaches_is_said_with_the_step_that_changes_it(
    fresh: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions.migrate()
    next_one = tmp_path / "migrations"
    shutil.copytree(revisions.directory(), next_one)
    for name, before, contracts in (("9998", revisions.head(), False), ("9999", "9998", True)):
        step = f'revision, down_revision, CONTRACTS = "{name}", "{before}", {contracts}\ndef upgrade():\n    pass\n'
        (next_one / "versions" / f"{name}_next.py").write_text(step)
        with monkeypatch.context() as patched:
            patched.setattr(revisions, "directory", lambda: next_one)
            revisions.migrate()
        if not contracts:
            revisions.check()
    with pytest.raises(WrongSchema, match="newer than this code"):
        revisions.check()
