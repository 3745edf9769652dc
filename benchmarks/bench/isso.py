"""Isso from PyPI, with gunicorn, moderation on. Its limits are off, which only makes it quicker."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from itsdangerous import URLSafeTimedSerializer

from benchmarks.bench import data
from benchmarks.bench.load import Ask, serving
from benchmarks.servers import megabytes
from tests.processes import environment, free_port

NAME = "Isso"
INSTALLED = ("isso==0.14.*", "gunicorn")
SETTINGS = """
[general]
dbpath = {place}/comments.db
host = http://127.0.0.1:{port}/
[admin]
enabled = true
password = bench
[moderation]
enabled = true
[guard]
enabled = false
[server]
listen = http://127.0.0.1:{port}
"""
PUBLISHED, WAITS = 1, 2
_JSON = {"Content-Type": "application/json"}
POSTS = 8_000


class Isso:
    """`cache`: where its packages are installed, once. `place`: its data."""

    name = NAME

    def __init__(self, cache: Path, place: Path) -> None:
        self.cache, self.place, self.pid = cache / "isso", place, 0
        self.pending: list[int] = []

    def install(self) -> str:
        """Its version."""
        if not (self.cache / "done").exists():
            shutil.rmtree(self.cache, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", self.cache], check=True)
            subprocess.run([self.cache / "bin/pip", "install", "--quiet", *INSTALLED], check=True)
            (self.cache / "done").touch()
        told = subprocess.run([self.cache / "bin/pip", "show", "isso"], capture_output=True, text=True, check=True)
        return next(line.split()[1] for line in told.stdout.splitlines() if line.startswith("Version:"))

    def seed(self, pending: int) -> None:
        self.place.mkdir(parents=True)
        with self.serving(self.place):
            pass  # it makes its tables
        with sqlite3.connect(self.place / "comments.db") as database:
            places = {page: number for number, page in enumerate([*data.pages(), data.QUEUE], start=1)}
            rows = [(number, page, f"Page {page}") for page, number in places.items()]
            database.executemany("INSERT INTO threads (id, uri, title) VALUES (?, ?, ?)", rows)
            said = [
                (one.number, places[one.page], one.parent, PUBLISHED, one.text, one.name, one.email)
                for one in data.threads()
            ]
            begin = len(said) + 1
            self.pending = list(range(begin, begin + pending))
            said += [(n, places[data.QUEUE], None, WAITS, data.text(n), *data.person(n)) for n in self.pending]
            voters = bytes(256)
            database.executemany(
                "INSERT INTO comments (id, tid, parent, mode, text, author, email, created, remote_addr, voters)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '127.0.0.0', ?)",
                [(*one, time.time() - 2_000_000 + one[0], voters) for one in said],
            )
            (key,) = database.execute("SELECT value FROM preferences WHERE key = 'session-key'").fetchone()
        self.signer = URLSafeTimedSerializer(key)

    @contextmanager
    def serving(self, place: Path) -> Iterator[str]:
        """Four workers, as its manual has it, but without `--preload`, with which approving hangs."""
        port = free_port()
        (place / "isso.cfg").write_text(SETTINGS.format(place=place, port=port))
        command = [f"{self.cache}/bin/gunicorn", "-b", f"127.0.0.1:{port}", "-w", "4", "--timeout", "120", "isso.run"]
        env = environment(ISSO_SETTINGS=str(place / "isso.cfg"))
        with serving(command, place, env, f"http://127.0.0.1:{port}/config") as pid:
            self.pid = pid
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            self.running = Path(name) / "copy"
            shutil.copytree(self.place, self.running)
            with self.serving(self.running) as base:
                yield base

    def memory(self) -> float:
        return megabytes(self.pid)

    def stored(self) -> tuple[int, int]:
        with sqlite3.connect(self.running / "comments.db") as database:
            told = database.execute("SELECT count(*), sum(mode = 1) FROM comments").fetchone()
        return int(told[0]), int(told[1])

    def asks(self, base: str) -> dict[str, Ask]:
        found = {f"thread of {size:,}": Ask([f"/?uri={quote(f'/{size}/')}"]) for size in data.THREADS}
        found["counts of 30 pages"] = Ask(["/count"], "POST", _JSON, [json.dumps(data.counted())])
        session = self.signer.dumps({"logged": True})
        found["queue"] = Ask(
            ["/admin/?mode=2"], headers={"Cookie": f"admin-session={session}"}, expected="isso-comment"
        )
        paths = [f"/id/{one}/activate/{self.signer.dumps(one)}" for one in self.pending]
        found["approve"] = Ask(paths, "POST", once=True, expected="activated")
        bodies = []
        for number in range(POSTS):
            name, email = data.person(100_000 + number)
            bodies.append(json.dumps({"text": data.text(100_000 + number), "author": name, "email": email}))
        found["post"] = Ask(
            [f"/new?uri={quote('/100/')}"], "POST", _JSON, bodies, once=True, visitors=True, status=(202,)
        )
        return found
