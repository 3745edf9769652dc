"""One turn of everybody after the other: what each server answers in a second, with the same data."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from benchmarks.bench import bare, data, greenroom
from benchmarks.bench.greenroom import Greenroom
from benchmarks.bench.load import CONNECTIONS, Ask, Refused, answered, rate
from tests.processes import ask as asked_for

ROOT = Path(__file__).resolve().parents[2]
CHANGES = 10
"""A second, of a thread that is written while it is read."""
WRITES = ("post", "approve")


@dataclass(frozen=True)
class Sizes:
    """How much there is, and how long everybody is asked; `siege` in seconds, too."""

    rounds: int
    seconds: float
    pending: int
    waiting: tuple[int, int]
    deep: tuple[int, int]
    siege: int


FULL = Sizes(3, 3, 10_000, (100, 100_000), (100, 1_000_000), 60)
QUICK = Sizes(1, 1, 6_000, (100, 10_000), (100, 100_000), 8)
"""What `make bench-quick` has: enough to see that everything is asked, too little to judge by."""


class Server(Protocol):
    name: str

    def fresh(self) -> Any: ...
    def asks(self, base: str) -> dict[str, Ask]: ...
    def memory(self) -> float: ...


@dataclass
class Numbers:
    """Figures by question and server, turn by turn: answers a second, megabytes, or what slow clients left."""

    by: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    """None: somebody did not do what was asked; `refused` says how."""
    refused: list[str] = field(default_factory=list)

    def note(self, question: str, server: str, figure: float | None) -> None:
        self.by.setdefault(question, {}).setdefault(server, []).append(figure)
        print(f"  {server}: {question}: {'–' if figure is None else f'{figure:,.2f}'}", flush=True)

    def of(self, question: str, server: str) -> list[float | None]:
        return self.by.get(question, {}).get(server, [])


class Bench:
    """Everything that is asked, seeded once."""

    def __init__(self, place: Path, sizes: Sizes, peers: list[Server]) -> None:
        self.sizes, self.peers, self.numbers = sizes, peers, Numbers()
        self.pages = {f"/deep-{count}/": count for count in sizes.deep}
        base = Greenroom(place / "base")
        base.found(self.pages)
        self.main = base.copied(place / "main")
        self.main.fill(threads=True, pending=sizes.pending)
        self.queues = [base.copied(place / f"queue-{count}") for count in sizes.waiting]
        for one, count in zip(self.queues, sizes.waiting, strict=True):
            one.fill(pending=count)
        self.deep = {"SQLite": base.copied(place / "deep")}
        self.deep["SQLite"].fill(pages=self.pages)

    def with_postgresql(self, place: Path, url: str) -> None:
        self.deep["PostgreSQL"] = Greenroom(place / "deep-postgresql", url)
        self.deep["PostgreSQL"].found(self.pages)
        self.deep["PostgreSQL"].fill(pages=self.pages)

    def turn(self) -> None:
        """Each server once, each from the same data."""
        bodies = self._greenroom()
        self._cold()
        for question, body in bodies.items():
            with bare.answering(body) as base:
                self._rate(question, bare.NAME, base, Ask(["/"]))
        for peer in self.peers:
            with peer.fresh() as base:
                self._ask_all(peer, base)
        self._lengths()

    def _rate(self, question: str, server: str, base: str, ask: Ask) -> None:
        self._noted(question, server, lambda: rate(base, ask, self.sizes.seconds))

    def _noted(self, question: str, server: str, measure: Callable[[], float]) -> None:
        """One refusal does not spoil a run of twenty minutes, but the page tells it."""
        try:
            self.numbers.note(question, server, measure())
        except Refused as refused:
            self.numbers.note(question, server, None)
            self.numbers.refused.append(f"{server}, {question}: {refused}")
            print(f"  {refused}", flush=True)

    def _ask_all(self, server: Server, base: str) -> None:
        for question, ask in server.asks(base).items():
            self._noted(question, server.name, partial(self._stored_rate, server, question, base, ask))
        self.numbers.note("memory after load", server.name, server.memory())

    def _stored_rate(self, server: Server, question: str, base: str, ask: Ask) -> float:
        """What was posted or approved must be in the database then: nobody is quick by leaving out."""
        if question not in WRITES or not hasattr(server, "stored"):
            return rate(base, ask, self.sizes.seconds)
        place = WRITES.index(question)
        before = server.stored()[place]
        told = rate(base, ask, self.sizes.seconds)
        found = server.stored()[place] - before
        if found < 0.9 * ask.sent - CONNECTIONS * 4:
            raise Refused(f"{ask.sent} were sent, {found} are stored.")
        return told

    def _greenroom(self) -> dict[str, bytes]:
        """Returns the bytes that the bare server is to answer."""
        with self.main.fresh() as base:
            short = {f"thread of {size}": self.main.thread(f"/{size}/") for size in data.THREADS[:2]}
            bodies = {question: answered(base, ask)[1] for question, ask in short.items()}
            with _written(base):
                self._rate("thread of 100, written", greenroom.NAME, base, self.main.thread("/100/"))
            self._ask_all(self.main, base)
        return bodies

    def _cold(self) -> None:
        with self.main.serving(GREENROOM_CACHE_MB="0") as base:
            for size in data.THREADS[:2]:
                self._rate(f"thread of {size}, cold", greenroom.NAME, base, self.main.thread(f"/{size}/"))

    def _lengths(self) -> None:
        """Short against long, each made anew."""
        for name, install in zip(("few", "many"), self.queues, strict=True):
            with install.serving() as base:
                self._rate(f"queue, {name} pending", greenroom.NAME, base, install.queue())
        for database, install in self.deep.items():
            with install.serving(GREENROOM_CACHE_MB="0") as base:
                for name, page in zip(("short", "long"), self.pages, strict=True):
                    ask = Ask([f"{greenroom.SITE}/thread?page={page}"])
                    self._rate(f"first page, {name} thread, {database}", greenroom.NAME, base, ask)

    def siege(self) -> None:
        """Figure F16 against a whole Greenroom, by the script that compares servers by it."""
        with self.main.fresh() as base:
            command = [sys.executable, "benchmarks/slow_clients.py", "--seconds", str(self.sizes.siege)]
            command += ["--url", base + self.main.thread("/100/").paths[0]]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        (slow,) = json.loads(done.stdout.splitlines()[-1])["slow"].values()
        self.numbers.note("slow clients, GETs answered", greenroom.NAME, slow["answered"] / slow["asked"])
        self.numbers.note("slow clients, p99", greenroom.NAME, slow["p99"])


@contextmanager
def _written(base: str) -> Iterator[None]:
    """Somebody votes for a comment of the thread of 100, ten times a second: its answer is another one each time."""
    comment = json.loads(answered(base, Ask([f"{greenroom.SITE}/thread?page=/100/"]))[1])["comments"][0]["id"]
    over, refused = threading.Event(), []

    def vote() -> None:
        number = 0
        while not over.wait(1 / CHANGES):
            number += 1
            headers = {"X-Forwarded-For": f"198.{number // 200}.{number % 200}.1"}
            device = {"device": f"device-number-{number:020}"}
            status, told = asked_for(f"{base}{greenroom.SITE}/comments/{comment}/vote", device, headers=headers)
            refused.extend([told] if status >= 300 else [])

    voter = threading.Thread(target=vote)
    voter.start()
    try:
        yield
    finally:
        over.set()
        voter.join()
    if refused:
        raise Refused(str(refused[0]))
