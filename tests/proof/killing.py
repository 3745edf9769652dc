"""Upgrades in processes of their own, some of them killed at a chosen moment, and what a start after that finds.

The processes are forked from one that has everything imported, so that each costs little more than its upgrade.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import sqlalchemy
from alembic import command
from flask import Flask, current_app
from sqlalchemy import event, make_url, text

from service import revisions
from service.app import create_app
from service.cli.operate import upgrade
from service.config import Settings
from service.db import db, writing
from service.db import init_app as init_database
from service.privacy import keys
from tests.conftest import ORIGIN, add_site
from tests.support import post, thread

from . import catalogue
from .catalogue import Rows, Schema

PATIENCE = 60
COMMIT = "before the commit"
_apps: dict[str, Flask] = {}
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.proof.killing", "psycopg"])


@dataclass(frozen=True)
class Ground:
    """A database that can be kept under a name and brought back as it was. `migrations`: those of a control."""

    settings: Settings
    place: Path
    migrations: Path | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.settings.database_url.startswith("sqlite")

    def keep(self, name: str) -> None:
        """Nobody may be connected."""
        if self.is_sqlite:
            shutil.copyfile(self._file, self.place / name)
        else:
            self._say(f"CREATE DATABASE {self._name}_{name} TEMPLATE {self._name}")

    def back(self, name: str | None) -> None:
        """As it was kept, or empty."""
        if self.is_sqlite:
            for left in self._file.parent.glob(f"{self._file.name}*"):
                left.unlink()
            if name:
                shutil.copyfile(self.place / name, self._file)
        else:
            self._say(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
            self._say(f"CREATE DATABASE {self._name}" + (f" TEMPLATE {self._name}_{name}" if name else ""))

    @property
    def _name(self) -> str:
        return str(make_url(self.settings.database_url).database)

    @property
    def _file(self) -> Path:
        return Path(self._name)

    def _say(self, statement: str) -> None:
        server = make_url(self.settings.database_url).set(database="postgres")
        engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _bare(settings: Settings) -> Flask:
    """As much of the app as an upgrade needs, since all of it takes longer than the upgrade."""
    app = Flask("upgrade")
    app.extensions |= {"greenroom_settings": settings, "greenroom_keys": keys.obtain(settings)}
    init_database(app, settings)
    return app


@contextmanager
def opened(ground: Ground, make: Callable[[Settings], Flask] = create_app) -> Iterator[None]:
    """An app over it, made once in a process; nobody is connected any more afterwards."""
    url = ground.settings.database_url
    if url not in _apps:
        _apps[url] = make(ground.settings)
    with _apps[url].app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def move(to: str, *, up: bool = True) -> None:
    """To a revision, in the open app."""
    with writing() as connection:
        (command.upgrade if up else command.downgrade)(revisions.config(connection), to)
        connection.commit()


def moments(ground: Ground) -> list[str]:
    """Every moment of an upgrade: before and after each statement, and before each commit."""
    return _upgraded(ground, None)


def kill(ground: Ground, at: int) -> str:
    """Upgrade, and be killed at the moment of this number; which it was."""
    return _upgraded(ground, at)[-1]


def _upgraded(ground: Ground, fatal: int | None) -> list[str]:
    ours, theirs = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_upgrade, args=(ground, fatal, theirs))
    process.start()
    theirs.close()
    found: list[str] = ours.recv()
    process.join(PATIENCE)
    assert process.exitcode == (0 if fatal is None else -signal.SIGKILL), f"it ended with {process.exitcode}"
    return found


def _upgrade(ground: Ground, fatal: int | None, told: Connection) -> None:
    seen: list[str] = []

    def moment(what: str, statement: str = "") -> None:
        seen.append(f"{what} {' '.join(statement.split())}".strip())
        if len(seen) - 1 == fatal:
            told.send(seen)
            os.kill(os.getpid(), signal.SIGKILL)

    use(ground)
    with opened(ground, _bare):
        event.listen(db.engine, "before_cursor_execute", lambda *it: moment("before", it[2]))
        event.listen(db.engine, "after_cursor_execute", lambda *it: moment("after", it[2]))
        event.listen(db.engine, "commit", lambda _: moment(COMMIT))
        upgrade()
    told.send(seen)


def at_once(ground: Ground, processes: int) -> list[str]:
    """Let so many upgrade at the same moment; what went wrong with them."""
    barrier = _forks.Barrier(processes)
    started = []
    for _ in range(processes):
        ours, theirs = _forks.Pipe()
        process = _forks.Process(target=_join_in, args=(ground, barrier, theirs))
        process.start()
        started.append((process, ours))
    found = [ours.recv() if ours.poll(PATIENCE) else "no answer" for _, ours in started]
    for process, _ in started:
        process.join(PATIENCE)
    return [one for one in found if one]


def _join_in(ground: Ground, barrier: Barrier, told: Connection) -> None:
    use(ground)
    with opened(ground, _bare):
        barrier.wait(PATIENCE)
        try:
            upgrade()
        except Exception as error:  # whatever it is, the test names it
            told.send(f"{type(error).__name__}: {str(error)[:200]}")
        else:
            told.send("")


def use(ground: Ground) -> None:
    """Take the migrations of a control."""
    if ground.migrations:
        place = ground.migrations
        revisions.directory = lambda: place


def wrong_after_start(ground: Ground, before: Rows, wanted: Schema) -> list[str]:
    """Start anew, with an upgrade: what is not as it is after an upgrade that nobody killed."""
    with opened(ground):
        try:
            upgrade()
        except Exception as error:
            return [f"cannot be upgraded: {str(error)[:200]}"]
        found = catalogue.differing(catalogue.schema(db.engine), wanted)
        found += catalogue.lost(before, catalogue.rows(db.engine))
        if catalogue.revision(db.engine) != revisions.head():
            found.append(f"at {catalogue.revision(db.engine)}")
        return found + _refusals()


def _refusals() -> list[str]:
    """What the app over this database does not do: be ready, take a comment, show one."""
    client = current_app.test_client()
    add_site("blog", [ORIGIN], mode="post")
    answers = [client.get("/readyz"), post(client)]
    found = [f"{one.request.path}: {one.status_code}" for one in answers if one.status_code not in (200, 201)]
    return found if found or thread(client)["comments"] else ["a comment is not shown"]
