"""Waline from npm on SQLite, what is posted waits. Its limit is off, and what it asks elsewhere is answered here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.bench import bare, data
from benchmarks.bench.load import Ask, serving
from benchmarks.servers import megabytes
from tests.processes import environment, free_port

NAME = "Waline"
PACKAGES = ("@waline/vercel@1.39", "sqlite3@5")
_KEY = "bench"
_STAMPS = "createdAt TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updatedAt TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
TABLES = f"""
CREATE TABLE wl_Comment (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER,
  insertedAt TIMESTAMP DEFAULT CURRENT_TIMESTAMP, ip VARCHAR(100) DEFAULT '', link VARCHAR(255), mail VARCHAR(255),
  nick VARCHAR(255), pid INTEGER, rid INTEGER, sticky BOOLEAN, status VARCHAR(50) DEFAULT '', "like" INTEGER, ua TEXT,
  url VARCHAR(255), comment TEXT, {_STAMPS});
CREATE TABLE wl_Counter (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, url VARCHAR(255) NOT NULL, {_STAMPS});
CREATE TABLE wl_Users (id INTEGER PRIMARY KEY AUTOINCREMENT, display_name VARCHAR(255), email VARCHAR(255),
  password VARCHAR(255), type VARCHAR(50), label VARCHAR(255), url VARCHAR(255), avatar VARCHAR(255), "2fa" VARCHAR(32),
  {_STAMPS});
INSERT INTO wl_Users (display_name, email, password, type) VALUES ('Ada', 'ada@example.org', '', 'administrator');
"""
PAGE = 100
"""The most roots that it gives at once; their replies come with them."""
POSTS = 5_000
_GOOD = '"errno":0'
"""It tells of failures in answers of status 200."""
_JSON = {"Content-Type": "application/json"}


class Waline:
    """`cache`: where its packages are installed, once. `place`: its data."""

    name = NAME

    def __init__(self, cache: Path, place: Path) -> None:
        self.cache, self.place, self.pid = cache / "waline", place, 0
        self.pending: list[int] = []

    def install(self) -> str:
        """Its version."""
        package = self.cache / "node_modules/@waline/vercel/package.json"
        if not (self.cache / "done").exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(self.cache), *PACKAGES]
            subprocess.run(npm, check=True)
            (self.cache / "done").touch()
        return str(json.loads(package.read_text())["version"])

    def seed(self, pending: int) -> None:
        self.place.mkdir(parents=True)
        said = [(o.number, o.page, o.parent, o.parent, "approved", o.text, o.name, o.email) for o in data.threads()]
        begin = len(said) + 1
        self.pending = list(range(begin, begin + pending))
        said += [(n, data.QUEUE, None, None, "waiting", data.text(n), *data.person(n)) for n in self.pending]
        with sqlite3.connect(self.place / "waline.sqlite") as database:
            database.executescript(TABLES)
            moment = "strftime('%Y-%m-%d %H:%M:%S', 'now', '-20 days', '+' || ? || ' seconds')"
            database.executemany(
                "INSERT INTO wl_Comment (id, url, pid, rid, status, comment, nick, mail, ip, ua, insertedAt)"
                f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, '127.0.0.1', '', {moment})",
                [(*one, one[0]) for one in said],
            )

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="bench-") as name, bare.answering(b'{"services":[]}', core=1) as asked:
            self.running, port = Path(name) / "copy", free_port()
            shutil.copytree(self.place, self.running)
            env = environment(
                SQLITE_PATH=str(self.running), JWT_TOKEN=_KEY, COMMENT_AUDIT="true", IPQPS="0", AKISMET_KEY="false",
                OAUTH_URL=asked,
            )  # fmt: skip
            command = ["node", str(self.cache / "node_modules/@waline/vercel/vanilla.js"), str(port)]
            base = f"http://127.0.0.1:{port}"
            with serving(command, self.running, env, f"{base}/api/comment?path=/10/") as pid:
                self.pid = pid
                yield base

    def memory(self) -> float:
        return megabytes(self.pid)

    def stored(self) -> tuple[int, int]:
        with sqlite3.connect(self.running / "waline.sqlite") as database:
            told = database.execute("SELECT count(*), sum(status = 'approved') FROM wl_Comment").fetchone()
        return int(told[0]), int(told[1])

    def asks(self, base: str) -> dict[str, Ask]:
        found = {f"thread of {size:,}": self._thread(size) for size in data.THREADS}
        found["counts of 30 pages"] = Ask([f"/api/comment?type=count&url={','.join(data.counted())}"], expected=_GOOD)
        admin = {"Authorization": f"Bearer {_token('1')}"}
        found["queue"] = Ask(["/api/comment?type=list&status=waiting&pageSize=100"], headers=admin, expected=_GOOD)
        paths = [f"/api/comment/{one}" for one in self.pending]
        approved = ['{"status":"approved"}'] * len(paths)
        found["approve"] = Ask(paths, "PUT", _JSON | admin, approved, once=True, expected=_GOOD)
        bodies = []
        for number in range(POSTS):
            name, email = data.person(100_000 + number)
            said = {"url": "/100/", "comment": data.text(100_000 + number), "nick": name, "mail": email, "ua": ""}
            bodies.append(json.dumps(said))
        found["post"] = Ask(["/api/comment"], "POST", _JSON, bodies, once=True, visitors=True, expected=_GOOD)
        return found

    def _thread(self, size: int) -> Ask:
        pages = -(-size // data.EACH // PAGE)
        each = f"/api/comment?path={quote(f'/{size}/')}&pageSize={PAGE}&page="
        return Ask([f"{each}{page}" for page in range(1, pages + 1)], requests=pages, expected=_GOOD)


def _token(user: str) -> str:
    """What its sign-in page would give its administrator (RFC 7519, HS256)."""
    signed = f"{_coded(json.dumps({'alg': 'HS256'}).encode())}.{_coded(user.encode())}"
    return f"{signed}.{_coded(hmac.new(_KEY.encode(), signed.encode(), hashlib.sha256).digest())}"


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
