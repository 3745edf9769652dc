"""An upgrade is one transaction, and several may start at once."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from service import revisions
from service.app import create_app
from service.cli.printing import UNAVAILABLE
from service.config import Settings
from service.db import db

from .test_migrations import fresh, tables

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
    monkeypatch.setattr(revisions, "_PATIENCE", "200ms")
    url = fresh.config["SQLALCHEMY_DATABASE_URI"]
    impatient = create_app(replace(settings, database_url=url, busy_timeout=0.2))
    lock = "SELECT 1" if url.startswith("sqlite") else f"SELECT pg_advisory_lock({revisions._LOCK})"
    with db.engine.connect().execution_options(writes=True) as other:
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
