"""Who has a delivery has it alone, and none waits too long, whatever the clocks of others say, or said."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from service.db import db, now, transaction
from service.outbound.transport import Reply
from service.sites.models import Site
from service.webhooks import policy, sending, worker
from service.webhooks.turns import queries as turns

from .conftest import Owner
from .test_delivery import happen, later
from .test_pace import ELSEWHERE, due, released, settled, take_first

AT_ONCE = 6


def waiting(site: Site, number: int = 1) -> list[UUID]:
    """Deliveries that are due, for a minute."""
    with later(minutes=-1):
        for _ in range(number):
            happen(site)
        released()
    found = turns.due_deliveries(now())
    db.session.rollback()
    return found


def taken(one: UUID) -> sending.Lease | None:
    with transaction():
        return sending.take(one)


@pytest.mark.parametrize("seconds", [1, 59])
def test_who_looked_at_the_clock_earlier_takes_nothing_from_who_has_it(
    site: Site, owner: Owner, seconds: float
) -> None:
    """It waited for the database meanwhile, or it is another machine with another clock."""
    owner.listens(ELSEWHERE)
    (one,) = waiting(site)
    with later(seconds=seconds):
        assert taken(one)
    assert taken(one) is None and due() == []


def test_who_looked_at_the_clock_earlier_adds_no_try_to_those_that_there_may_be(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    waiting(site, policy.MOST_AT_ONCE + 1)
    for _ in range(policy.MOST_AT_ONCE):
        take_first()
    with later(seconds=-5):
        assert due() == []


def test_who_looked_at_the_clock_earlier_leaves_alone_who_asked_for_it(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    waiting(site, 2)
    settled(take_first(), Reply(status=429, retry_after=policy.LONGEST_WAIT.total_seconds()))
    with later(seconds=-5):
        assert due() == []


def test_a_lease_of_a_clock_that_was_put_back_is_none(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    (one,) = waiting(site)
    with later(minutes=2):
        assert taken(one)
    assert taken(one)


@pytest.mark.parametrize("seconds", [5, -5], ids=["the last is ahead", "the last is behind"])
def test_of_many_who_take_one_at_once_one_has_it(
    app: Flask, site: Site, owner: Owner, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Each with a clock of its own; the last to come is mostly the first to go on."""
    owner.listens(ELSEWHERE)
    (one,) = waiting(site)
    clock, together = threading.local(), threading.Barrier(AT_ONCE)
    monkeypatch.setattr(sending, "now", lambda: now() + timedelta(seconds=clock.ahead))

    def take(number: int) -> bool:
        clock.ahead = number * seconds / AT_ONCE
        with app.app_context():
            together.wait(60)
            found = taken(one)
            db.session.remove()
        return found is not None

    with ThreadPoolExecutor(AT_ONCE) as workers:
        assert sum(workers.map(take, range(AT_ONCE))) == 1


@pytest.mark.parametrize("ahead", [{"minutes": 5}, {"hours": 20}, {"days": 400}], ids=["minutes", "hours", "days"])
def test_a_first_try_waits_for_no_time_of_a_clock_that_was_ahead(
    site: Site, owner: Owner, ahead: dict[str, float]
) -> None:
    owner.listens(ELSEWHERE)
    with later(**ahead):
        happen(site)
        released()
    assert due() == []
    worker.sweep()
    assert len(due()) == 1


def test_another_try_waits_for_as_long_as_it_should(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    waiting(site)
    settled(take_first(), Reply(status=503, retry_after=policy.LONGEST_WAIT.total_seconds()))
    worker.sweep()
    with later(hours=23):
        worker.sweep()
        assert due() == []
    with later(hours=25):
        assert len(due()) == 1


def test_workers_that_die_with_a_delivery_take_no_try_from_it(site: Site, owner: Owner) -> None:
    one = owner.listens(ELSEWHERE)
    waiting(site)
    for turn in range(len(policy.SCHEDULE)):
        with later(minutes=2 * turn):
            take_first()
    with later(hours=1):
        settled(take_first(), Reply(status=500))
    (sent,) = owner.deliveries(one)
    assert (sent["state"], len(sent["attempts"])) == ("pending", 1)
    with later(hours=1, seconds=10):
        assert len(due()) == 1
