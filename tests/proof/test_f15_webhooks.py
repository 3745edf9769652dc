"""Figure 15, faults 2 and 10: workers that are killed between sending and marking, and receivers that fail.

Every event of the database was received at least once, signed; none that is not of it; what came twice has one id.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from standardwebhooks import Webhook

from service.db import db, transaction
from service.sites.queries import site_of
from service.webhooks import operations
from service.webhooks.models import Delivery, Event
from service.webhooks.operations import Wanted
from service.webhooks.policy import DELIVERED, PENDING
from tests.processes import until
from tests.proof.faults import Install, counted, settle
from tests.proof.hurried import hurries, marks_first
from tests.proof.ledger import Proof
from tests.proof.served import Working
from tests.support import FULL
from tests.webhooks.receiver import Receiver, receiving

pytest_plugins = ("tests.proof.installs",)
pytestmark = pytest.mark.one_database

KILLS = 50 if FULL else 2
WRITTEN = 20 if FULL else 6
"""Requests that are accepted between two kills."""
HERE = {
    "GREENROOM_WEBHOOK_HTTP": "true",
    "GREENROOM_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
    "GREENROOM_WEBHOOK_TIMEOUT": "1",
}


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.full)], ids=["one worker", "two workers"])
def workers(request: pytest.FixtureRequest, install: Install) -> int:
    """Two of them, on PostgreSQL, are prompted by way of Valkey."""
    number: int = request.param
    install.more = dict(HERE)
    if number == 2 and not install.settings.sqlite:
        install.more["GREENROOM_JOBS_URL"] = request.getfixturevalue("valkey_url")
    return number


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def listens(install: Install, url: str) -> str:
    """An endpoint of the site; its secret."""
    with install.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        return operations.add(site.id, Wanted(url), actor="test").secret


def undelivered(install: Install) -> int:
    with install.app.app_context():
        db.session.rollback()
        waiting = select(func.count()).select_from(Delivery).where(Delivery.state == PENDING)
        return db.session.scalar(waiting) or 0


def until_delivered(install: Install) -> None:
    """Wait for as long as it goes on."""
    while left := undelivered(install):
        until(lambda left=left: undelivered(install) < left)  # type: ignore[misc]


def unheard(install: Install, receiver: Receiver, secret: str) -> Iterator[str]:
    """What the receiver did not get, or should not have got."""
    with install.app.app_context():
        db.session.rollback()
        told = {str(one) for one in db.session.scalars(select(Event.id))}
        states = Counter(db.session.scalars(select(Delivery.state)))
    got = Counter(one.id for one in receiver.got)
    yield from (f"never delivered: {one}" for one in sorted(told - set(got)))
    yield from (f"delivered, but of no event: {one}" for one in sorted(set(got) - told))
    if set(states) != {DELIVERED}:
        yield f"deliveries are {dict(states)}"
    for one in receiver.got:
        Webhook(secret).verify(one.body, one.headers)


@pytest.mark.alone
@pytest.mark.figure("15", quick=12, full=2_000)
def test_a_worker_killed_between_sending_and_marking_loses_nothing(
    install: Install, workers: int, receiver: Receiver, proof: Proof
) -> None:
    secret = listens(install, receiver.url)
    working = [install.work(hurries) for _ in range(workers)]
    with install.written(install.serve(works=False)) as clients:
        for turn in range(KILLS):
            clients.write(WRITTEN)
            working[turn % workers] = _killed_while_sending(install, receiver, working[turn % workers])
    until_delivered(install)
    twice = sum(number - 1 for number in Counter(one.id for one in receiver.got).values())
    proof.note(f"{KILLS} × SIGKILL of one of {workers}: {counted(clients)}; {twice} came twice, each with one id")
    settle(proof, install, clients, *unheard(install, receiver, secret))


def _killed_while_sending(install: Install, receiver: Receiver, working: Working) -> Working:
    """Kill a worker while the receiver has what it sent and has not answered; another one in its place."""
    receiver.hold, before = threading.Event(), len(receiver.got)
    until(lambda: len(receiver.got) > before)
    working.kill()
    receiver.hold.set()
    receiver.hold = None
    return install.work(hurries)


@pytest.mark.figure("15", quick=20, full=600)
def test_a_receiver_that_fails_gets_everything_in_the_end(
    install: Install, workers: int, receiver: Receiver, proof: Proof
) -> None:
    """Three answers of ten are refusals, hang-ups, or come too late."""
    secret, seed = listens(install, receiver.url), random.Random(15)
    kinds: list[tuple[int, dict[str, str]]] = [(500, {}), (429, {"Retry-After": "1"}), (302, {}), (0, {}), (-1, {})]
    receiver.answers = [seed.choice(kinds) if seed.random() < 0.3 else (200, {}) for _ in range(WRITTEN * KILLS * 3)]
    for _ in range(workers):
        install.work(hurries)
    with install.written(install.serve(works=False)) as clients:
        clients.write(WRITTEN * (30 if FULL else 4))
    until_delivered(install)
    proof.note(f"a receiver of whose answers three in ten fail, {workers} workers: {len(receiver.got):,} tries")
    settle(proof, install, clients, *unheard(install, receiver, secret))


@pytest.mark.control("15")
def test_a_build_that_marks_before_it_sends_is_seen(install: Install, receiver: Receiver) -> None:
    install.more = dict(HERE)
    secret = listens(install, receiver.url)
    working = install.work(marks_first)
    with install.written(install.serve(works=False)) as clients:
        receiver.hold, before = threading.Event(), len(receiver.got)
        receiver.loses = True
        clients.write(WRITTEN)
        until(lambda: len(receiver.got) > before)
        working.kill()
        receiver.hold.set()
        receiver.hold, receiver.loses = None, False
        install.work(hurries)
    until(lambda: undelivered(install) == 0)
    found = list(unheard(install, receiver, secret))
    assert any(one.startswith("never delivered: ") for one in found)
