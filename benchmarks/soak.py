"""Figure F19: 200 requests a second for ten minutes, one in five a comment, on a site with 100,000 of them.

python benchmarks/soak.py                      SQLite, a quarter of an hour in all; exits with 1 when a target is missed
python benchmarks/soak.py --only postgresql    the other database
python benchmarks/soak.py --seconds 20 --warm 5 --pages 20    whether it works: no figure
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path

from servers import database, megabytes

from tests.processes import ask, environment, free_port, running, until
from tests.transfer.exports import comment, export, item, saved

RATE, POSTS = 200, 0.2
PER_PAGE, LIMIT = 100, 50
CLIENTS = 64
"""Requests that may be on their way at once. When all are, the next one waits: its time counts from when it was due."""
MOST_GET, MOST_POST, MOST_GROWTH = 50.0, 100.0, 0.10  # ms, ms, of the memory after the warm-up
PATIENCE = 30.0
TEXT = "Some *words* of the usual length, as people write them below a review of a series that they have seen. " * 3


@dataclass
class Row:
    """How one database did. Times in ms, from when a request was due; memory of all processes, in MB."""

    database: str
    seconds: float
    gets: dict[str, float]
    posts: dict[str, float]
    answers: dict[str, int]
    memory: list[float]
    log_mb: float | None
    """The write-ahead log of SQLite, in the end."""
    missed: list[str] = field(default_factory=list)


class Load:
    """Requests that are due at a steady rate, whether those before them were answered or not."""

    def __init__(self, port: int, pages: int) -> None:
        self._port, self._pages = port, pages
        self._numbers, self._turn = count(), threading.Lock()
        self.times: dict[str, list[float]] = {"GET": [], "POST": []}
        self.answers: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """So long; what was counted before is forgotten."""
        self.times = {"GET": [], "POST": []}
        self.answers.clear()
        start = time.monotonic()
        dues = (start + n / RATE for n in range(int(seconds * RATE)))
        clients = [threading.Thread(target=self._ask_on, args=(dues,)) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()

    def _ask_on(self, dues: Iterator[float]) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        while True:
            with self._turn:
                due, number = next(dues, None), next(self._numbers)
            if due is None:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            method, path, body, headers = self._request(number)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                answer.read()
                told = str(answer.status)
            except (OSError, HTTPException) as error:
                connection.close()
                told = type(error).__name__
            took = (time.monotonic() - due) * 1000
            with self._turn:
                self.times[method].append(took)
                self.answers[f"{method} {told}"] += 1
        connection.close()

    def _request(self, number: int) -> tuple[str, str, bytes | None, dict[str, str]]:
        """Half of what is read and written is about one page of fifty."""
        chance = random.Random(number)
        page = chance.randrange(max(1, self._pages // 50) if chance.random() < 0.5 else self._pages)
        link = f"https://blog.example.org/{page}/"
        if chance.random() >= POSTS:
            return "GET", f"/v1/sites/blog/thread?page={link}&limit={LIMIT}", None, {"Accept-Encoding": "gzip"}
        said = {"page": link, "name": "Ada", "email": f"n{number}@mail.example.org", "body": f"{number}: {TEXT}"}
        network = f"100.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        headers = {"Content-Type": "application/json", "X-Forwarded-For": network, "Idempotency-Key": f"soak-{number}"}
        return "POST", "/v1/sites/blog/comments", json.dumps(said).encode(), headers


@contextmanager
def served(place: Path, pages: int, settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Greenroom and its worker, with a site whose pages have 100 comments each and publish what comes at once."""
    port = free_port()
    env = environment(
        GREENROOM_PORT=str(port), GREENROOM_LIMITS_ENABLED="false", GREENROOM_LOG_LEVEL="ERROR",
        GREENROOM_TRUSTED_PROXIES="127.0.0.1", **settings,
    )  # fmt: skip
    exported = saved(place, export(*map(page_of, range(pages))))
    for command in (
        ["migrate"],
        ["sites", "add", "blog", "--name", "Blog", "--origin", "https://blog.example.org"],
        ["sites", "set", "blog", "mode=post"],
        ["import", "wordpress", str(exported), "--site", "blog"],
    ):
        subprocess.run(["greenroom", *command], cwd=place, env=env, check=True, stdout=subprocess.DEVNULL)
    with running("serve", cwd=place, env=env) as process:
        until(lambda: ask(f"http://127.0.0.1:{port}/readyz")[0] == 200, alive=process)
        yield process, port


def page_of(number: int) -> str:
    first = number * PER_PAGE + 1
    said = [
        comment(id=str(first + n), content=TEXT, parent=str(first + n - n % 3 if n % 3 else 0)) for n in range(PER_PAGE)
    ]
    link = f"https://blog.example.org/{number}/"
    return item(*said, post_id=str(number + 1), link=link, title=f"Page {number}")


def soaked(name: str, seconds: float, warm: float, pages: int) -> Row:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-soak-")))
        settings = stack.enter_context(database(name, place))
        process, port = stack.enter_context(served(place, pages, settings))
        load = Load(port, pages)
        load.run(warm)
        memory = [megabytes(process.pid)]
        load.run(seconds)
        memory.append(megabytes(process.pid))
        log = place / "greenroom.db-wal"
        log_mb = log.stat().st_size / 1e6 if log.exists() else None
    gets, posts = (percentiles(load.times[method]) for method in ("GET", "POST"))
    row = Row(name, seconds, gets, posts, dict(load.answers), memory, log_mb)
    row.missed = list(missed(row))
    return row


def percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)], "worst": ordered[-1],
    }  # fmt: skip


def missed(row: Row) -> Iterator[str]:
    bad = {told: number for told, number in row.answers.items() if told not in ("GET 200", "POST 201", "POST 202")}
    if bad:
        yield f"not all was answered: {bad}"
    if row.gets["p99"] >= MOST_GET:
        yield f"the p99 of reading is {row.gets['p99']:.0f} ms, not below {MOST_GET:.0f}"
    if row.posts["p99"] >= MOST_POST:
        yield f"the p99 of writing is {row.posts['p99']:.0f} ms, not below {MOST_POST:.0f}"
    growth = row.memory[1] / row.memory[0] - 1
    if growth >= MOST_GROWTH:
        yield f"memory has grown by {growth:.0%}"


def tell(rows: list[Row]) -> None:
    print("| database | seconds | GET: median, p99, worst (ms) | POST: the same | answers | memory (MB) | log (MB) |")
    print("|---" * 7 + "|")
    for row in rows:
        times = (", ".join(f"{one:.1f}" for one in found.values()) for found in (row.gets, row.posts))
        answers = ", ".join(f"{number:,} × {told}" for told, number in sorted(row.answers.items()))
        memory = " → ".join(f"{one:.0f}" for one in row.memory)
        log = f"{row.log_mb:.1f}" if row.log_mb is not None else ""
        print(f"| {row.database} | {row.seconds:.0f} | {' | '.join(times)} | {answers} | {memory} | {log} |")
    for row in rows:
        for one in row.missed:
            print(f"{row.database}: {one}", file=sys.stderr)
    print(json.dumps([asdict(row) for row in rows]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="how long it counts")
    parser.add_argument("--warm", type=float, default=60, help="how long it goes on before")
    parser.add_argument("--pages", type=int, default=1_000, help="pages with 100 comments each")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], default="sqlite", help="the database")
    chosen = parser.parse_args()
    rows = [soaked(chosen.only, chosen.seconds, chosen.warm, chosen.pages)]
    tell(rows)
    return 1 if any(row.missed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
