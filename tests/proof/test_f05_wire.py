"""Bad input as bytes on the sockets of a real `greenroom serve`: what no test client would send."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen

import pytest
from flask import Flask

from service.config import Settings
from tests.processes import ask, environment, free_port, running, until
from tests.support import FULL

from .doors import DOORS
from .judging import MOST_SECONDS, counted, grown, written_mark
from .ledger import Proof
from .wire import NO_HTTP, Odd, Request, Told, chunked, faults, large, no_http, odd, ticks, told
from .world import World

pytestmark = pytest.mark.one_database


@dataclass
class Server:
    """A process of Greenroom on the database of the world."""

    process: Popen[bytes]
    port: int
    log: Path
    world: World


@pytest.fixture(scope="module")
def process(
    migrated: Flask, settings: Settings, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Popen[bytes], int, Path]]:
    """`greenroom serve` on the database of the tests: the process, its port and its log."""
    env = environment(
        GREENROOM_DATABASE_URL=database_url, GREENROOM_KEYS_FILE=settings.keys_file, GREENROOM_LIMITS_ENABLED="false",
        GREENROOM_FORM_MIN_SECONDS="0", GREENROOM_LOG_LEVEL="WARNING",
    )  # fmt: skip
    port, place = free_port(), tmp_path_factory.mktemp("served")
    with running("serve", "--no-worker", "--port", str(port), cwd=place, env=env) as started:
        until(lambda: _is_well(started, port), alive=started)
        yield started, port, place / "serve.log"


@pytest.fixture
def server(process: tuple[Popen[bytes], int, Path], world: World) -> Server:
    return Server(*process, world)


def _is_well(process: Popen[bytes], port: int) -> bool:
    return process.poll() is None and ask(f"http://127.0.0.1:{port}/healthz")[0] == 200


def _send_all(server: Server, proof: Proof, sent: Iterable[tuple[str, Odd]]) -> None:
    """Each on a connection of its own; rows change only when the answer says so."""
    slowest, used, rows = 0, ticks(server.process.pid), counted()
    with written_mark() as written:
        mark = written()
        for door, one in sent:
            answer = told(server.port, one)
            wrong = list(faults(one, answer))
            now_used = ticks(server.process.pid)
            slowest, used = max(slowest, now_used - used), now_used
            if written() != mark:
                found, mark, rows = grown(rows, door), written(), counted()
                if found and not 200 <= answer.status < 400:
                    wrong.append(f"{answer.status}, and the number of rows of {found} changed")
            proof.case(*(f"{one.name}: {what}" for what in wrong))
    proof.case(*_unwell(server, slowest))
    proof.note(f"slowest {slowest * 10} ms of processor time")


def _unwell(server: Server, slowest: int = 0) -> Iterator[str]:
    if not _is_well(server.process, server.port):
        yield f"the server is gone: {server.log.read_text()[-500:]}"
    if "Traceback" in server.log.read_text():
        yield f"a traceback in its log: {server.log.read_text()[-2_000:]}"
    if slowest > MOST_SECONDS * 100:
        yield f"one request took {slowest / 100:.1f} s"


@pytest.mark.figure("5", quick=80, full=5_000)
def test_odd_bytes_break_nothing_at_any_door(server: Server, proof: Proof, shared: Path) -> None:
    every = [(door.name, one) for door in DOORS for one in odd(Request.of(door, server.world), shared)]
    every += [("", one) for one in no_http(shared)]
    _send_all(server, proof, every if FULL else random.Random(20).sample(every, 80))


@pytest.mark.figure("5", quick=3, full=100)
def test_bodies_beyond_all_sizes_are_refused(server: Server, proof: Proof) -> None:
    doors = [one for one in DOORS if one.changes]
    every = [(door.name, one) for door in doors for one in large(Request.of(door, server.world))]
    _send_all(server, proof, every if FULL else random.Random(20).sample(every, 3))


@pytest.mark.figure("5", quick=9, full=9)
def test_a_right_body_without_a_length_is_taken_by_every_door(server: Server, proof: Proof) -> None:
    for door in (one for one in DOORS if one.changes and one.json is not None):
        answer = told(server.port, Odd(door.name, chunked(Request.of(door, server.world))))
        proof.case(*([] if 200 <= answer.status < 300 else [f"{door.name}: {answer.status} {answer.body[:200]!r}"]))


@pytest.mark.control("5")
def test_a_server_that_breaks_is_seen(server: Server, tmp_path: Path) -> None:
    """No answer, two answers, a bare refusal of the app, a 500, a traceback, and a process that is gone."""
    fine = Odd("", NO_HTTP[0])
    for answer, seen in {
        Told(0): "no answer", Told(500, "application/problem+json"): "500",
        Told(404, "text/plain"): "404 is text/plain",
        Told(200, more=b"HTTP/1.1 200"): "more than one answer",
        Told(422, "application/problem+json", b"{}"): "without type",
    }.items():  # fmt: skip
        assert any(seen in one for one in faults(fine, answer)), seen
    assert list(_unwell(server)) == []
    planted = tmp_path / "planted.log"
    planted.write_text("Traceback (most recent call last)")
    assert "a traceback" in next(_unwell(replace(server, log=planted)))
    assert "took 3.0 s" in next(_unwell(server, slowest=300))
    with Popen([sys.executable, "-c", ""]) as gone:
        gone.wait(20)
    assert "is gone" in next(_unwell(replace(server, process=gone)))
