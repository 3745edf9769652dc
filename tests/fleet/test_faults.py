"""Figure 15 on the fleet: one of anything killed, stopped, replaced or migrated while clients write at 100 a second."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service import __version__
from tests.fleet.newer import EXPANDS, NARROWS, VERSION, newer
from tests.fleet.stack import Fleet, fleet
from tests.fleet.visitors import Written
from tests.processes import ask, stop_dead, until
from tests.proof.faults import counted, failed, late, settle
from tests.proof.ledger import Proof
from tests.support import FULL

pytestmark = pytest.mark.fleet

KILLS, RESTARTS, STOPS = (10, 5, 5) if FULL else (1, 1, 1)
WRITTEN = 100 if FULL else 30
"""Requests that are accepted between two faults."""


HELD = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'greenroom'"


@pytest.fixture(scope="module", params=["postgresql"])
def ours() -> Iterator[Written]:
    with fleet() as made:
        yield furnished(made)


def furnished(made: Fleet) -> Written:
    made.run("sites", "add", "blog", "--name", "Blog", "--origin", "https://blog.example.org")
    limits = {f"limit_{name}": "1000000/hour" for name in ("submit", "page", "site")}
    made.run("sites", "set", "blog", "rating_max=10", *(f"{name}={value}" for name, value in limits.items()))
    made.run("moderators", "add", "robin@example.org", "--name", "Robin", "--admin")
    told = made.run("tokens", "add", "robin@example.org", "--name", "test", "--scope", "read", "--scope", "moderate")
    return Written(made, re.findall(r"\bgr[a-z]*_\S+", told)[0])


@pytest.mark.figure("15", quick=30, full=300)
@pytest.mark.parametrize("members", ["web 0", "web 0, web 1", "worker 1", "caddy"])
def test_what_is_killed_loses_nothing(ours: Written, members: str, proof: Proof) -> None:
    slowest = 0.0
    with ours.written() as clients:
        for _ in range(KILLS):
            clients.write(WRITTEN)
            for one in members.split(", "):
                ours.ours.kill(one)
            for one in members.split(", "):
                ours.ours.start(one)
            slowest = max(slowest, clients.answered_after(time.monotonic()))
    proof.note(f"fleet, {KILLS} × SIGKILL of {members}: {counted(clients)}; answers after {slowest:.1f} s at most")
    settle(proof, ours, clients, *(late(slowest) if FULL else []))


@pytest.mark.figure("15", quick=30, full=100)
def test_valkey_killed_fails_no_request(ours: Written, proof: Proof) -> None:
    with ours.written() as clients:
        clients.write(WRITTEN)
        ours.ours.valkey.terminate()
        clients.write(WRITTEN)
        ours.ours.valkey.start()
    proof.note(f"fleet, SIGKILL of Valkey: {counted(clients)}")
    settle(proof, ours, clients, *failed(clients.journal))


@pytest.mark.figure("15", quick=30, full=300)
def test_a_database_that_crashes_loses_nothing(ours: Written, proof: Proof) -> None:
    slowest = 0.0
    with ours.written() as clients:
        for _ in range(STOPS):
            clients.write(WRITTEN)
            stop_dead(ours.ours.postgresql)
            clients.write_for(1)
            ours.ours.postgresql.ensure_postgres_running()
            slowest = max(slowest, clients.answered_after(time.monotonic()))
    proof.note(
        f"fleet, {STOPS} × PostgreSQL stopped at once: {counted(clients)}; answers after {slowest:.1f} s at most"
    )
    settle(proof, ours, clients, *(late(slowest) if FULL else []))


@pytest.mark.figure("15", quick=30, full=300)
def test_a_rolling_restart_fails_no_request(ours: Written, proof: Proof) -> None:
    with ours.written() as clients:
        codes = [code for _ in range(RESTARTS) for code in replaced(ours.ours)]
        clients.write(WRITTEN)
    proof.note(f"fleet, {RESTARTS} × restart of all, one by one: {counted(clients)}")
    settle(proof, ours, clients, *failed(clients.journal), *(f"exit code {code}" for code in codes if code))


def replaced(ours: Fleet) -> list[int]:
    """Web processes and workers, one after another; their exit codes."""
    codes = []
    for member in (*ours.members("web"), *ours.members("worker")):
        codes.append(ours.stop(member))
        ours.start(member)
    return codes


@pytest.mark.figure("15", quick=300, full=1_000)
def test_no_process_holds_more_connections_than_the_manual_says(ours: Written, proof: Proof) -> None:
    """A web process those of its pool and the one that listens, a worker those of its pool; 100 clients at once."""
    pool = int(ours.ours.services["web"]["environment"]["GREENROOM_DATABASE_POOL"])
    most = len(ours.ours.members("web")) * (pool + 1) + len(ours.ours.members("worker")) * pool
    with ours.written(rate=1_000, number=100) as clients, watched(ours.ours) as held:
        clients.write(10 * WRITTEN)
        until(lambda: len(held) > 10)
    proof.note(f"fleet, 100 clients: {max(held)} connections to PostgreSQL at most, of {most}")
    settle(proof, ours, clients, *(f"{one} connections" for one in held if one > most), *failed(clients.journal))


@contextmanager
def watched(ours: Fleet) -> Iterator[list[int]]:
    """How many connections our processes hold, again and again while the block lasts."""
    held: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            held.extend(ours.rows(HELD))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


@pytest.mark.figure("15", quick=90, full=300)
def test_a_rolling_upgrade_with_a_migration_fails_no_request(ours: Written, proof: Proof) -> None:
    """The version before goes on while the database is migrated; then each process is replaced by one of the newer."""
    with ours.written() as clients:
        clients.write(WRITTEN)
        ours.ours.source = newer(ours.ours.place, EXPANDS)
        ours.ours.run("migrate")
        clients.write(WRITTEN)
        told = [*versions(ours.ours, __version__), *(f"exit code {code}" for code in replaced(ours.ours) if code)]
        clients.write(WRITTEN)
    told += versions(ours.ours, VERSION)
    proof.note(f"fleet, upgraded while they write: {counted(clients)}")
    settle(proof, ours, clients, *failed(clients.journal), *told)


def versions(ours: Fleet, wanted: str) -> Iterator[str]:
    """Where a web process is not ready, or of another version."""
    for member in ours.members("web"):
        ready, version = ask(f"{ours.direct(member)}/readyz")[0], ask(f"{ours.direct(member)}/openapi.json")[1]["info"]
        if (ready, version["version"]) != (200, wanted):
            yield f"{member} is of {version['version']}, its readiness {ready}"


@pytest.mark.full
@pytest.mark.control("15")
def test_an_upgrade_that_takes_away_what_is_used_is_seen() -> None:
    with fleet("web 0", "worker 0", "caddy") as made:
        ours = furnished(made)
        with ours.written() as clients:
            clients.write(WRITTEN)
            made.source = newer(made.place, NARROWS, contracts=True)
            made.run("migrate")
            until(lambda: clients.journal.wrong)
        assert failed(clients.journal)
        assert ask(f"{made.direct('web 0')}/readyz")[0] == 503
