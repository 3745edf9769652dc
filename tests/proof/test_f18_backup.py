"""Figure 18: a backup that is taken while comments come in holds every comment that was accepted before it began."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url, select

from service.app import create_app
from service.audit import operations as audit
from service.cli.operate import upgrade
from service.comments.models import Comment
from service.config import Settings
from service.db import db
from service.sites.models import Site
from tests.processes import until
from tests.support import FULL, post

from .ledger import Proof

pytestmark = pytest.mark.one_database

ROUNDS = 8 if FULL else 1
WRITERS = 2
AT_LEAST = 10
"""Comments accepted before a backup, and from then on."""


@dataclass(frozen=True)
class Backup:
    """How the manual takes one, and how it is put in the place of an empty database. `settings`: of that one."""

    settings: Settings
    take: Callable[[], None]
    restore: Callable[[], None]


@pytest.fixture
def backup(migrated: Flask, settings: Settings, tmp_path: Path) -> Backup:
    live = make_url(migrated.config["SQLALCHEMY_DATABASE_URI"])
    if live.drivername == "sqlite":
        return _of_sqlite(str(live.database), settings, tmp_path)
    return _of_postgresql(live.set(drivername="postgresql").render_as_string(hide_password=False), settings, tmp_path)


def _of_sqlite(live: str, settings: Settings, place: Path) -> Backup:
    def take() -> None:
        (place / "backup.db").unlink(missing_ok=True)
        connection = sqlite3.connect(live)
        connection.execute("VACUUM INTO ?", [str(place / "backup.db")])
        connection.close()

    def restore() -> None:
        shutil.copyfile(place / "backup.db", place / "restored.db")

    return Backup(replace(settings, database_url=f"sqlite:///{place}/restored.db"), take, restore)


def _of_postgresql(live: str, settings: Settings, place: Path) -> Backup:
    with psycopg.connect(live) as connection:
        found = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    assert found is not None
    programs = Path(found[0])  # those of the server's own version
    restored = make_url(live).set(database=f"restored_{uuid4().hex[:8]}")
    url = restored.render_as_string(hide_password=False)
    file = place / "greenroom.dump"

    def take() -> None:
        subprocess.run([programs / "pg_dump", "--format=custom", f"--file={file}", live], check=True)

    def restore() -> None:
        with psycopg.connect(live, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {restored.database} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {restored.database}")
        subprocess.run([programs / "pg_restore", f"--dbname={url}", file], check=True)

    return Backup(replace(settings, database_url=url.replace("postgresql:", "postgresql+psycopg:")), take, restore)


@contextmanager
def writers(app: Flask) -> Iterator[list[str]]:
    """Visitors who write without a pause; the ids of what was accepted, each noted after its answer."""
    accepted: list[str] = []
    stop = threading.Event()

    def write(number: int) -> None:
        client, told = app.test_client(), 0
        while not stop.is_set():
            told += 1
            answer = post(client, body=f"Writer {number} says a {told}th time that it is fine. {uuid4()}")
            if answer.status_code == 202:
                accepted.append(answer.get_json()["id"])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for one in threads:
        one.start()
    try:
        yield accepted
    finally:
        stop.set()
        for one in threads:
            one.join()


def wait_for(accepted: list[str], number: int) -> None:
    until(lambda: len(accepted) >= number)


def missing_after(backup: Backup, accepted: set[str]) -> list[str]:
    """Restore, and look for what was accepted: what is not there, and whether what is there is whole."""
    backup.restore()
    restored = create_app(backup.settings)
    with restored.app_context():
        upgrade()
        kept = {str(one) for one in db.session.scalars(select(Comment.id))}
        broken = [f"audit: {one.head.chain} {one.broken}" for one in audit.verify() if one.broken]
        ready = restored.test_client().get("/readyz").status_code
        db.session.remove()
        db.engine.dispose()
    return [f"lost {one}" for one in accepted - kept] + broken + ([] if ready == 200 else [f"readyz {ready}"])


@pytest.mark.figure("18", quick=AT_LEAST, full=500)
def test_a_backup_under_writes_holds_what_was_accepted_before(
    app: Flask, site: Site, backup: Backup, proof: Proof
) -> None:
    with writers(app) as accepted:
        for _ in range(ROUNDS):
            wait_for(accepted, len(accepted) + AT_LEAST)
            before = set(accepted)
            backup.take()
            wait_for(accepted, len(before) + AT_LEAST)  # they were not kept from writing
            proof.cases(len(before), missing_after(backup, before))


@pytest.mark.control("18")
def test_what_comes_after_a_backup_is_missed_in_it(app: Flask, site: Site, backup: Backup) -> None:
    backup.take()
    later = post(app.test_client()).get_json()["id"]
    assert missing_after(backup, {later}) == [f"lost {later}"]
