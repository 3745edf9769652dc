"""Figure 15, at full size only: a full disk, a database that stops dead, a clock that jumps, two processes at once."""

from __future__ import annotations

import errno
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.comments.models import Comment
from service.db import db
from tests.processes import ask, stop_dead, until
from tests.proof.faults import Install, Installs, counted, failed, late, settle
from tests.proof.journal import Clients
from tests.proof.ledger import Proof
from tests.proof.mischief import CLOCK, moved_clock
from tests.proof.served import Mischief

pytest_plugins = ("tests.proof.installs",)

pytestmark = pytest.mark.full

STOPS = 10
ROUNDS = 3
HOUR = 3600


@pytest.fixture
def small_disk(installs: Installs) -> Iterator[Path]:
    """A small disk, of which another file leaves 300 kB; PostgreSQL knows it as a tablespace of its name."""
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    disk = Path(tempfile.mkdtemp(prefix="greenroom_disk_"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    try:
        if installs.server_url:
            os.chown(disk, pwd.getpwnam("pgserver").pw_uid, -1)
            installs.order(f"CREATE TABLESPACE {disk.name} LOCATION '{disk}'")
        yield disk
        if installs.server_url:
            installs.order(f"DROP TABLESPACE {disk.name}")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)  # a killed worker may still be going
        disk.rmdir()


@pytest.mark.figure("15", quick=0, full=300)
def test_a_full_disk_refuses_and_loses_nothing(
    installs: Installs, small_disk: Path, tmp_path: Path, proof: Proof
) -> None:
    slowest = 0.0
    with installs.made(tmp_path, small_disk) as install:
        with install.written(install.serve()) as clients:
            for _ in range(ROUNDS):
                clients.write(50)
                refused = clients.journal.count(503, 507)
                with filled(small_disk):
                    until(lambda: clients.journal.count(503, 507) > refused + 50)  # noqa: B023 - called at once
                began = time.monotonic()
                slowest = max(slowest, clients.answered_after(began))
        proof.note(f"{ROUNDS} × full disk: {counted(clients)}; answers after {slowest:.1f} s at most")
        settle(proof, install, clients, *late(slowest))


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Another file takes all room but 300 kB, while the block lasts: the last of it is for us to run out of."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        while not _takes_all_but(300_000, disk, file.fileno()):
            pass  # somebody wrote meanwhile
    try:
        yield
    finally:
        ballast.unlink()


def _takes_all_but(spare: int, disk: Path, file: int) -> bool:
    room = os.statvfs(disk)
    try:
        os.posix_fallocate(file, 0, room.f_bavail * room.f_frsize - spare)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


@pytest.mark.figure("15", quick=0, full=300)
@pytest.mark.parametrize("installs", ["postgresql"], indirect=True)
def test_a_database_that_stops_dead_loses_nothing(install: Install, durable: Any, proof: Proof) -> None:
    slowest = 0.0
    with install.written(install.serve()) as clients:
        for _ in range(STOPS):
            clients.write(50)
            stop_dead(durable)
            clients.write_for(1)
            durable.ensure_postgres_running()
            began = time.monotonic()
            slowest = max(slowest, clients.answered_after(began))
    proof.note(f"{STOPS} × PostgreSQL stopped at once: {counted(clients)}; answers after {slowest:.1f} s at most")
    settle(proof, install, clients, *late(slowest))


JUMPS = (HOUR, 0, -HOUR, 0, HOUR, -HOUR, HOUR)


@pytest.mark.figure("15", quick=0, full=300)
def test_a_clock_that_jumps_loses_nothing(install: Install, proof: Proof) -> None:
    """An hour forth, back to the truth, an hour back, and to the truth; then on, so that all that was told is due."""
    clients = written_while_it_jumps(install, moved_clock)
    times = moments(install)
    hours = (max(times) - min(times)).total_seconds() / HOUR
    assert hours > 1.9, f"all was written within {hours:.1f} h: the clock did not jump"
    assert jumps(times) >= len(JUMPS), f"of {len(JUMPS)} jumps only {jumps(times)} show"
    proof.note(f"the clock moved by up to {hours:.1f} h, {len(JUMPS)} ×: {counted(clients)}")
    settle(proof, install, clients, *failed(clients.journal))


def written_while_it_jumps(install: Install, mischief: Mischief | None, each: int = 40) -> Clients:
    clock = install.place / CLOCK
    clock.write_text("0")
    with install.written(install.serve(mischief=mischief)) as clients:
        for wrong in JUMPS:
            clients.write(each)
            clock.write_text(str(wrong))
        clients.write(each)
    return clients


def moments(install: Install) -> list[datetime]:
    """When each comment was written by the clock of the service, in the order in which the clients said them."""
    with install.app.app_context():
        return list(db.session.scalars(select(Comment.created_at).order_by(Comment.body)))


def jumps(times: list[datetime]) -> int:
    return sum(abs(one - other) > timedelta(minutes=30) for one, other in pairwise(times))


@pytest.mark.control("15")
def test_a_clock_that_does_not_follow_is_seen(install: Install) -> None:
    written_while_it_jumps(install, None, each=5)
    assert jumps(moments(install)) == 0


@pytest.mark.figure("15", quick=0, full=300)
def test_two_installs_on_one_database_agree(install: Install, proof: Proof) -> None:
    """What one process has accepted the other one knows at once."""
    pair = [install.serve(), install.serve()]
    with install.written(*pair) as clients:
        for _ in range(10):
            clients.write(60)
    unknown = []
    for number, answer in enumerate(list(clients.journal.accepted.values())[::10]):
        url = f"http://127.0.0.1:{pair[number % 2].port}/v1/moderation/comments/{answer.body['id']}"
        if ask(url, token=install.token)[0] != 200:
            unknown.append(url)
    proof.note(f"two processes on one database: {counted(clients)}")
    settle(proof, install, clients, *failed(clients.journal), *unknown)
