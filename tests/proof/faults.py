"""Installs to break: a database of their own, a site, a moderator's token; and what it takes to break them."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from flask import Flask
from sqlalchemy import create_engine, make_url, text

from service.accounts import operations as accounts
from service.accounts.operations import NewToken
from service.app import create_app
from service.cli.operate import upgrade
from service.config import Settings
from service.db import db, transaction
from tests.conftest import add_site
from tests.processes import environment, free_port, until
from tests.proof.journal import Answered, Asked, Clients, Journal, Rotation, Send, writing
from tests.proof.ledger import Proof
from tests.proof.oracle import judge, unreleased
from tests.proof.served import Mischief, Served, Working
from tests.proof.world import sent
from tests.support import FULL

ANSWERS_WITHIN = 5.0
"""Seconds from the end of a fault to the first answer."""

RATE = 130.0 if FULL else 50.0
"""Requests a second that the clients make at most."""


@dataclass
class Install:
    """A database of its own with one site, `blog`; `served` are its processes, stopped after the test."""

    place: Path
    settings: Settings
    token: str
    app: Flask
    served: list[Working] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    """Settings of its processes beside the usual ones."""

    @property
    def database(self) -> Path:
        return Path(make_url(self.settings.database_url).database or "")

    def serve(self, port: int = 0, mischief: Mischief | None = None, *, works: bool = True) -> Served:
        """Start a web process and its worker, and wait until they are ready."""
        served = Served(self.place, self._env(), port or free_port(), mischief, works=works)
        self.served.append(served)
        return served

    def work(self, mischief: Mischief | None = None) -> Working:
        """Start a worker."""
        working = Working(self.place, self._env(), mischief)
        self.served.append(working)
        return working

    def _env(self) -> dict[str, str]:
        usual = {
            "GREENROOM_DATABASE_URL": self.settings.database_url,
            "GREENROOM_KEYS_FILE": self.settings.keys_file,
            "GREENROOM_BUSY_TIMEOUT": str(self.settings.busy_timeout),
            "GREENROOM_LIMITS_ENABLED": "false",
            "GREENROOM_UNDO_SECONDS": "1",  # each verdict waits for all events, twice
            "GREENROOM_TRUSTED_PROXIES": "127.0.0.1",
            "GREENROOM_LOG_LEVEL": "WARNING",
        }
        return environment(**usual | self.more)

    def furnish(self) -> None:
        """A site and a moderator, where there is nothing yet."""
        with self.app.app_context():
            self.token = _furnished()

    @contextmanager
    def written(self, *served: Served, prefix: str = "said") -> Iterator[Clients]:
        """Clients that write to these processes in turn while the block lasts."""
        rotation = Rotation(*(one.port for one in served))
        with writing(Clients(Journal(self.token, prefix), rotation, rate=RATE)) as clients:
            yield clients

    def judged(self, clients: Clients) -> list[str]:
        """What the oracle finds as it is now, with no server running."""
        with self.app.app_context():
            return list(judge(clients.journal))

    def verdict(self, clients: Clients) -> list[str]:
        return verdict(self.app, clients)


def verdict(app: Flask, clients: Clients) -> list[str]:
    """What the oracle finds when all is quiet, and again when the clients have asked again. A server must run."""
    journal = clients.journal
    with app.app_context():
        until(lambda: unreleased() == 0)
        found = [*journal.wrong, *judge(journal)]
        db.session.rollback()  # a look that stays open would keep SQLite from tidying up
        again = [*clients.replay()]
        until(lambda: unreleased() == 0)
        found += [*again, *judge(journal)]
    return found


def _furnished() -> str:
    """The site `blog`, and the token of a moderator."""
    add_site("blog", ["https://blog.example.org"], rating_max=10.0)
    with transaction():
        moderator = accounts.add_moderator("robin@staff.example.org", "Robin", None, actor="test", is_admin=True)
        return accounts.issue_token(moderator, NewToken("test", ("read", "moderate")), actor="test").secret


class Judged(Protocol):
    def verdict(self, clients: Clients) -> list[str]: ...


def settle(proof: Proof, install: Judged, clients: Clients, *found: str) -> None:
    """Each request is a case; what the oracle and the test found are its failures."""
    proof.cases(clients.asked, [*found, *install.verdict(clients)])


def counted(clients: Clients) -> str:
    """What the clients were told, in a line for people. Call it before they ask again."""
    told = Counter(status or "hung up" for status in clients.journal.unknown.values())
    unknown = ", ".join(f"{number:,} {status}" for status, number in sorted(told.items(), key=str)) or "none"
    return f"{clients.accepted:,} accepted, unknown: {unknown}"


def failed(journal: Journal) -> list[str]:
    """Where nobody may notice a fault: what was not accepted."""
    return [f"{key} failed with {status or 'a hung up connection'}" for key, status in journal.unknown.items()]


def late(slowest: float) -> list[str]:
    return [f"answered again only after {slowest:.1f} s"] if slowest > ANSWERS_WITHIN else []


@contextmanager
def foreign_lock(install: Install) -> Iterator[None]:
    """Somebody else's lock while the block lasts: on the file, or on the table that everything goes through."""
    if install.settings.sqlite:
        with closing(sqlite3.connect(install.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    engine = create_engine(install.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def within(app: Flask) -> Send:
    """Asks an app without a server."""

    def send(asked: Asked) -> Answered:
        headers = asked.headers | {"Idempotency-Key": asked.key}
        answer = sent(app.test_client(), asked.path, method="POST", json=asked.body, headers=headers)
        return Answered(answer.status_code, dict(answer.headers), answer.json)

    return send


class Installs:
    """Makes installs by copying one."""

    def __init__(self, settings: Settings, place: Path, server_url: str | None) -> None:
        self.server_url, self._place, self._made = server_url, place, 0
        self._name = f"faults_{secrets.token_hex(4)}"
        self._settings = replace(settings, database_url=self._url(self._name), trusted_proxies=["127.0.0.1"])
        if server_url:
            self.order(f"CREATE DATABASE {self._name}")
        app = create_app(self._settings)
        with app.app_context():
            upgrade()
            self._token = _furnished()
            db.engine.dispose()

    def _url(self, name: str) -> str:
        if self.server_url:
            return make_url(self.server_url).set(database=name).render_as_string(hide_password=False)
        return f"sqlite:///{self._place / name}.db"

    def order(self, statement: str) -> None:
        assert self.server_url
        engine = create_engine(self.server_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    @contextmanager
    def made(self, place: Path, disk: Path | None = None, *, is_empty: bool = False) -> Iterator[Install]:
        """An install in `place`, its database on another disk if need be; its processes end with the block.

        With nothing at all in its database where `is_empty`.
        """
        self._made += 1
        name = f"{self._name}_{self._made}"
        url = self._url(name)
        if self.server_url:
            where = f" TABLESPACE {disk.name}" if disk else ""
            self.order(f"CREATE DATABASE {name} TEMPLATE {'template0' if is_empty else self._name}{where}")
        else:
            file = (disk or place) / "greenroom.db"
            if not is_empty:
                shutil.copy(self._place / f"{self._name}.db", file)
            url = f"sqlite:///{file}"
        settings = replace(self._settings, database_url=url)
        install = Install(place, settings, self._token, create_app(settings))
        try:
            yield install
        finally:
            for served in install.served:
                served.kill()
            with install.app.app_context():
                db.engine.dispose()
            if self.server_url:
                self.order(f"DROP DATABASE {name} WITH (FORCE)")
