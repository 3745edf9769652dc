"""What an endpoint missed is sent on request: each once, and nothing that is taken back meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from service.db import Busy, db, new_id, now, transaction
from service.moderation import webhook_routes
from service.sites.models import Site
from service.webhooks import operations, outbox, queries

from .conftest import Owner, send_due
from .receiver import Receiver
from .test_delivery import happen, later
from .test_pace import due, released


def held_back(site: Site, type_: str = "thread.closed") -> UUID:
    """Something that can be undone for ten minutes; the id of its event."""
    with transaction():
        return outbox.announce(type_, site.id, new_id(), {}, outbox.Manner(now() + timedelta(minutes=10)))


def switched_off(one: dict[str, Any]) -> None:
    with transaction():
        found = queries.locked_endpoint(UUID(one["id"]))
        assert found
        operations.disable(found, "Nobody is there.", actor="test")


def recovered(owner: Owner, one: dict[str, Any]) -> int:
    since = {"since": (now() - timedelta(hours=1)).isoformat()}
    number: int = owner.does("recover", one, query_string=since).json["events"]
    return number


@pytest.fixture
def missed(site: Site, owner: Owner, receiver: Receiver) -> tuple[dict[str, Any], list[UUID]]:
    """An endpoint that is on again, and what is still held back: from before it was switched off, and from after."""
    one = owner.listens(receiver.url, events=["thread.closed"])
    before = held_back(site)
    switched_off(one)
    events = [before, held_back(site)]
    owner.does("enable", one)
    return one, events


def test_what_is_still_held_back_is_recovered(
    owner: Owner, receiver: Receiver, missed: tuple[dict[str, Any], list[UUID]]
) -> None:
    one, events = missed
    assert (recovered(owner, one), recovered(owner, one)) == (2, 0)
    assert send_due() == 0, "it can still be undone"
    with later(minutes=11):
        assert send_due() == 2
    assert [UUID(got.id) for got in receiver.got] == events


def test_what_is_taken_back_after_it_was_recovered_is_never_sent(
    owner: Owner, receiver: Receiver, missed: tuple[dict[str, Any], list[UUID]]
) -> None:
    one, events = missed
    recovered(owner, one)
    for event in events:
        with transaction():
            assert outbox.withdraw(event)
    with later(minutes=11):
        assert (send_due(), receiver.got) == (0, [])


def test_what_is_sent_again_before_it_is_released_can_still_be_taken_back(
    owner: Owner, receiver: Receiver, missed: tuple[dict[str, Any], list[UUID]]
) -> None:
    one, (event, _) = missed
    with later(minutes=11):  # nobody has released it yet
        (given_up,) = owner.deliveries(one)
        again = f"/webhooks/deliveries/{given_up['id']}/redeliver"
        assert owner.call("POST", again).status_code == 202
        assert owner.call("POST", again).status_code == 409
        assert due() == []
        with transaction():
            assert outbox.withdraw(event)
        assert (send_due(), receiver.got) == (0, [])


def test_what_is_sent_again_before_it_is_released_is_sent_then(
    owner: Owner, receiver: Receiver, missed: tuple[dict[str, Any], list[UUID]]
) -> None:
    one, (event, _) = missed
    with later(minutes=11):
        (given_up,) = owner.deliveries(one)
        owner.call("POST", f"/webhooks/deliveries/{given_up['id']}/redeliver")
        assert send_due() == 1
    assert [UUID(got.id) for got in receiver.got] == [event]


@pytest.mark.parametrize("how", ["recover", "redeliver"])
def test_what_is_released_meanwhile_is_sent(app: Flask, site: Site, owner: Owner, receiver: Receiver, how: str) -> None:
    """Whoever asks for it waits for the releaser, and for nobody who would come after."""
    one = owner.listens(receiver.url, events=["thread.opened"])
    event = happen(site)
    switched_off(one)
    owner.does("enable", one)
    (given_up,) = owner.deliveries(one)
    db.session.rollback()
    started = threading.Event()
    with ThreadPoolExecutor(1) as elsewhere:

        def ask() -> None:
            started.set()
            if how == "recover":
                assert recovered(owner, one) == 1
            else:
                assert owner.call("POST", f"/webhooks/deliveries/{given_up['id']}/redeliver").status_code == 202

        with transaction():
            assert outbox.release_due() == 2
            going = elsewhere.submit(ask)
            started.wait(60)
            threading.Event().wait(0.3)
        going.result(60)
    assert send_due() == 1 and [UUID(got.id) for got in receiver.got] == [event]


LONG_AGO = {"since": "2020-01-01T00:00:00Z"}


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two events in a transaction. How many transactions there were."""
    monkeypatch.setattr(operations, "RECOVERED_AT_ONCE", 2)
    found: list[int] = []

    @contextmanager
    def counted() -> Iterator[None]:
        found.append(len(found))
        with transaction():
            yield

    monkeypatch.setattr(webhook_routes, "transaction", counted)
    return found


def missed_by(site: Site, owner: Owner, receiver: Receiver, number: int) -> dict[str, Any]:
    """An endpoint that is on again, and knows nothing of so many events."""
    one = owner.listens(receiver.url, events=["thread.opened", "thread.closed"])
    switched_off(one)
    for _ in range(number):
        happen(site)
    owner.does("enable", one)
    return one


def written(owner: Owner, one: dict[str, Any]) -> list[int]:
    """How many events the audit log says were recovered at a time."""
    found = owner.get("/audit", subject=one["id"]).json["entries"]
    return [entry["details"]["events"] for entry in reversed(found) if entry["action"] == "webhook.recovered"]


@pytest.mark.parametrize(("number", "each"), [(0, [0]), (1, [1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_a_long_time_is_recovered_part_by_part(
    site: Site, owner: Owner, receiver: Receiver, parts: list[int], number: int, each: list[int]
) -> None:
    """Nobody who writes waits for the whole of it."""
    one = missed_by(site, owner, receiver, number)
    released()
    parts.clear()
    assert owner.does("recover", one, query_string=LONG_AGO).json == {"events": number}
    assert (written(owner, one), len(parts)) == (each, number // 2 + 1)
    assert send_due() == len({got.id for got in receiver.got}) == number


def test_what_is_held_back_is_recovered_part_by_part(
    site: Site, owner: Owner, receiver: Receiver, parts: list[int]
) -> None:
    one = missed_by(site, owner, receiver, 3)
    released()
    switched_off(one)
    for _ in range(5):
        held_back(site)
    owner.does("enable", one)
    assert owner.does("recover", one, query_string=LONG_AGO).json == {"events": 8}
    assert send_due() == 3
    with later(minutes=11):
        assert send_due() == 5
    assert len({got.id for got in receiver.got}) == 8


def test_it_goes_on_where_it_broke_off(
    site: Site, owner: Owner, receiver: Receiver, parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recovered before is counted, and under the same key nothing is recovered twice."""
    one = missed_by(site, owner, receiver, 5)
    released()
    asked: dict[str, Any] = {"query_string": LONG_AGO, "headers": {"Idempotency-Key": "once"}}
    with monkeypatch.context() as broken:
        whole = operations.recover

        def breaks(found: Any, since: Any, after: int, *, actor: str) -> Any:
            if after:
                raise Busy("INSERT", None, Exception("database is locked"))
            return whole(found, since, after, actor=actor)

        broken.setattr(operations, "recover", breaks)
        assert owner.does("recover", one, **asked).status_code == 503
    assert [owner.does("recover", one, **asked).json for _ in range(2)] == [{"events": 5}] * 2
    assert (written(owner, one), send_due()) == ([2, 2, 1], 5)
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 5
