"""Webhooks: how many a worker delivers in a second, and whether one endpoint that hangs slows the others.

python benchmarks/webhooks.py                      both databases, three minutes; exits with 1 when a target is missed
python benchmarks/webhooks.py --only sqlite        one of them
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from servers import database

from tests.processes import ask, environment, free_port, run, running, until

ENDPOINTS = 50
"""One of them hangs, in the second run."""
COMMENTS = 40
BACKLOG = 1_000
MOST_RATIO = 2.0
"""The p99 of the others with one that hangs, over that without."""


@dataclass
class Row:
    database: str
    question: str
    figures: dict[str, float]


class Listener:
    """Receives on many paths; keeps when each message came. `hanging`: a path that answers nobody."""

    def __init__(self) -> None:
        self.came: dict[tuple[str, str], float] = {}
        self.hanging = ""
        self.stopped = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == listener.hanging:
                    listener.stopped.wait(60)
                    return
                told = json.loads(body)
                listener.came[self.path, told["data"]["comment"]["id"]] = time.time()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


class Install:
    """A served Greenroom with a site whose events go to many endpoints."""

    def __init__(self, place: Path, settings: dict[str, str]) -> None:
        self.place, self.port = place, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(
            GREENROOM_PORT=str(self.port), GREENROOM_LIMITS_ENABLED="false", GREENROOM_WEBHOOK_HTTP="true",
            GREENROOM_WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", GREENROOM_LOG_LEVEL="ERROR", **settings,
        )  # fmt: skip
        self.command("migrate")
        self.command("sites", "add", "news", "--name", "News", "--origin", "https://news.example.org")
        self.command("moderators", "add", "ada@example.org", "--name", "Ada", "--admin")
        told = self.command("tokens", "add", "ada@example.org", "--name", "bench", "--scope", "read",
                            "--scope", "moderate", "--scope", "manage")  # fmt: skip
        self.token = told.split()[-1]

    def command(self, *words: str) -> str:
        done = run(*words, cwd=self.place, env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listens(self, url: str) -> None:
        wanted = {"site": "news", "url": url, "events": ["comment.created"]}
        status, told = ask(f"{self.url}/v1/webhooks/endpoints", wanted, self.token)
        assert status == 201, told

    def say(self, number: int) -> str:
        said = {"page": f"/p/{number % 20}", "name": "Ada", "email": f"n{number}@mail.example.org"}
        status, told = ask(f"{self.url}/v1/sites/news/comments", said | {"body": f"Number {number}."})
        assert status in (201, 202), told
        return str(told["id"])


def latencies(install: Install, listener: Listener, first: int) -> list[float]:
    """Seconds from a comment's submission to its arrival at each endpoint that does not hang."""
    said: dict[str, float] = {}
    for number in range(COMMENTS):
        began = time.time()
        said[install.say(first + number)] = began
    paths = [f"/{n}" for n in range(ENDPOINTS) if f"/{n}" != listener.hanging]
    wanted = [(path, one) for path in paths for one in said]
    until(lambda: all(one in listener.came for one in wanted))
    return [listener.came[path, one] - said[one] for path, one in wanted]


def rows(name: str) -> Iterator[Row]:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-webhooks-")))
        settings = stack.enter_context(database(name, place))
        install, listener = Install(place, settings), Listener()
        stack.callback(listener.close)
        server = stack.enter_context(running("serve", "--no-worker", cwd=place, env=install.env))
        until(lambda: ask(f"{install.url}/readyz")[0] == 200, alive=server)
        install.listens(f"{listener.url}/0")
        said = [install.say(number) for number in range(BACKLOG)]
        stack.enter_context(running("worker", cwd=place, env=install.env))
        until(lambda: listener.came)
        began, already = time.time(), len(listener.came)
        until(lambda: len(listener.came) == len(said))
        yield Row(name, "deliveries a second", {"value": (BACKLOG - already) / (time.time() - began)})
        for number in range(1, ENDPOINTS):
            install.listens(f"{listener.url}/{number}")
        without = latencies(install, listener, BACKLOG)
        listener.hanging = f"/{ENDPOINTS - 1}"
        beside = latencies(install, listener, BACKLOG + COMMENTS)
        yield Row(name, "one of 50 hangs", compared(without, beside))


def compared(without: list[float], beside: list[float]) -> dict[str, float]:
    """p50 and p99 in seconds without and with one that hangs, and the ratio of the p99s."""
    cuts = [statistics.quantiles(one, n=100) for one in (without, beside)]
    names = ("p50 without", "p50 with", "p99 without", "p99 with")
    figures = dict(zip(names, [cuts[0][49], cuts[1][49], cuts[0][98], cuts[1][98]], strict=True))
    return figures | {"ratio": cuts[1][98] / cuts[0][98]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    only = parser.parse_args().only
    found = [row for name in ([only] if only else ["sqlite", "postgresql"]) for row in rows(name)]
    for row in found:
        told = ", ".join(f"{name} {value:.2f}" for name, value in row.figures.items())
        print(f"| {row.database} | {row.question} | {told} |")
    print(json.dumps([asdict(row) for row in found]))
    return int(any(row.figures.get("ratio", 0) > MOST_RATIO for row in found))


if __name__ == "__main__":
    sys.exit(main())
