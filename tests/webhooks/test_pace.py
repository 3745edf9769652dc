"""No receiver keeps another waiting, and nothing waits for a time that never comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from service.db import db, now, transaction
from service.outbound.transport import Reply
from service.sites.models import Site
from service.webhooks import operations, outbox, policy, queries, sending, worker
from service.webhooks.models import Attempt, Delivery, Endpoint, Event
from service.webhooks.turns import queries as turns
from tests.support import post

from .conftest import Owner, send_due
from .receiver import Receiver
from .test_delivery import happen, later

ELSEWHERE = "https://receiver.example.org/"


def released() -> None:
    with transaction():
        outbox.release_due()


def due() -> list[UUID]:
    """The endpoints of what is to be tried now."""
    found = turns.due_deliveries(now())
    endpoints = [one.endpoint_id for one in map(queries.delivery, found) if one]
    db.session.rollback()
    return endpoints


def take_first() -> sending.Lease:
    with transaction():
        lease = sending.take(turns.due_deliveries(now())[0])
    assert lease
    return lease


def settled(lease: sending.Lease, reply: Reply) -> None:
    with transaction():
        sending.settle(lease, reply)


def test_a_backlog_of_one_endpoint_keeps_no_other_waiting(site: Site, owner: Owner) -> None:
    slow = owner.listens(ELSEWHERE)
    for _ in range(50):
        happen(site)
    released()
    quick = owner.listens(ELSEWHERE)
    happen(site)
    released()
    found = due()
    assert found.count(UUID(slow["id"])) == policy.MOST_AT_ONCE and found.count(UUID(quick["id"])) == 1


def test_what_is_being_sent_is_counted(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    for _ in range(10):
        happen(site)
    released()
    for busy in range(policy.MOST_AT_ONCE):
        assert len(due()) == policy.MOST_AT_ONCE - busy
        take_first()
    assert due() == []


def test_one_that_fails_is_tried_one_at_a_time(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    for _ in range(10):
        happen(site)
    released()
    settled(take_first(), Reply(status=500))
    assert len(due()) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_to_be_left_alone_gets_nothing_meanwhile(
    site: Site, owner: Owner, receiver: Receiver, status: int
) -> None:
    owner.listens(receiver.url)
    other = owner.listens(receiver.url, events=["thread.closed"])
    for _ in range(3):
        happen(site)
    released()
    settled(take_first(), Reply(status=status, retry_after=3_600))
    assert due() == []
    (waiting,) = {one.id for one in db.session.query(Delivery).filter(Delivery.attempts == 0).limit(1)}
    db.session.rollback()
    with transaction():
        assert sending.take(waiting) is None, "not by a prompt either"
    happen(site, "thread.closed")
    released()
    assert due() == [UUID(other["id"])]
    with later(seconds=3_601):
        assert send_due() == 5


def test_changes_of_an_endpoint_and_what_happens_do_not_wait_for_each_other(
    app: Flask, site: Site, owner: Owner
) -> None:
    one = UUID(owner.listens(ELSEWHERE)["id"])
    if db.engine.dialect.name == "sqlite":
        return  # there everybody who writes waits for everybody
    db.session.rollback()
    with ThreadPoolExecutor(1) as elsewhere:

        def write_another() -> None:
            with app.app_context():
                happen(site)
                db.session.remove()

        with transaction():
            assert queries.locked_endpoint(one)
            elsewhere.submit(write_another).result(60)


def test_what_happens_while_an_endpoint_is_removed_is_kept(app: Flask, site: Site, owner: Owner) -> None:
    """Whoever announces waits for the removal, and then sends it nothing."""
    one = UUID(owner.listens(ELSEWHERE)["id"])
    db.session.rollback()
    started, removed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as elsewhere:

        def remove() -> None:
            with app.app_context():
                with transaction():
                    found = queries.locked_endpoint(one)
                    assert found
                    operations.remove(found, actor="test")
                    started.set()
                    removed.wait(0.3)
                db.session.remove()

        going = elsewhere.submit(remove)
        started.wait(60)
        happen(site)
        removed.set()
        going.result(60)
    assert db.session.query(Event).count() == 1 and db.session.query(Delivery).count() == 0


def test_a_long_wait_counts_up_to_a_day(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    happen(site)
    released()
    settled(take_first(), Reply(status=429, retry_after=10_000_000))
    happen(site)
    with later(hours=24, minutes=1):
        released()
        assert len(due()) == 1


def test_two_failures_with_a_quiet_month_between_disable_nothing(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    receiver.answers = [(500, {}), (410, {})]
    happen(site)
    send_due()
    with transaction():
        db.session.execute(update(Delivery).values(state=policy.FAILED, done_at=now(), next_at=None))
    receiver.answers = [(503, {})]
    with later(days=30):
        happen(site)
        send_due()
        found = owner.endpoint(one)
        assert found["enabled"] and found["failing_since"]
        (waits,) = [sent for sent in owner.deliveries(one) if sent["state"] == "pending"]
        assert len(waits["attempts"]) == 1


def test_nothing_waits_for_one_that_is_disabled(site: Site, owner: Owner) -> None:
    one = owner.listens(ELSEWHERE)
    for _ in range(12):
        happen(site)
    released()
    sent, gone = take_first(), take_first()
    settled(gone, Reply(status=410))
    states = [found["state"] for found in owner.deliveries(one)]
    assert (states.count("failed"), states.count("pending"), due()) == (11, 1, [])
    settled(sent, Reply(status=200))
    assert [found["state"] for found in owner.deliveries(one)].count("delivered") == 1


def test_another_url_is_another_receiver(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    receiver.answers = [(429, {"Retry-After": "3600"})]
    happen(site)
    send_due()
    assert owner.endpoint(one)["failing_since"] and due() == []
    where = f"/webhooks/endpoints/{one['id']}"
    assert owner.call("PATCH", where, json={"note": "ours"}).json["failing_since"]
    changed = owner.call("PATCH", where, json={"url": f"{receiver.url}?new"})
    assert changed.json["failing_since"] is None
    happen(site)
    released()
    assert len(due()) == 1


def test_a_success_that_overlaps_a_failure_is_seen(site: Site, owner: Owner) -> None:
    one = owner.listens(ELSEWHERE)
    happen(site), happen(site)
    released()
    good, bad = take_first(), take_first()
    settled(bad, Reply(status=500))
    settled(good, Reply(status=200))
    assert owner.endpoint(one)["failing_since"] is None


def test_what_is_blocked_is_tried_again(app: Flask, site: Site, owner: Owner, receiver: Receiver) -> None:
    """A name that led inside for a minute, or a typing error in the settings, loses nothing."""
    one = owner.listens(receiver.url)
    happen(site)
    usual = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(usual, webhook_allow_cidrs=[])
    send_due()
    app.extensions["greenroom_settings"] = usual
    (sent,) = owner.deliveries(one)
    assert sent["state"] == "pending" and "the machine itself" in sent["attempts"][0]["error"]
    with later(seconds=10):
        assert send_due() == 1
    assert owner.deliveries(one)[0]["state"] == "delivered"


def test_a_clock_that_was_ahead_holds_nothing_back(site: Site, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url)
    receiver.answers = [(429, {"Retry-After": "60"})]
    happen(site)
    with later(days=400):
        send_due()
        happen(site)
        with transaction():
            held = outbox.Manner(now() + timedelta(seconds=10))
            outbox.announce("thread.closed", site.id, site.id, {}, held)
        released()
        take_first_if_any()
    assert send_due() == 0
    worker.sweep()
    assert send_due() == 3 and len(receiver.got) == 4


def take_first_if_any() -> None:
    """A worker that dies with a lease of the time ahead."""
    with transaction():
        for one in turns.due_deliveries(now()):
            sending.take(one)


def test_a_try_that_breaks_is_settled(
    site: Site, owner: Owner, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = owner.listens(receiver.url)
    happen(site)

    def breaks(*_: Any) -> Reply:
        raise RuntimeError("out of file descriptors")

    with monkeypatch.context() as broken:
        broken.setattr(worker, "post", breaks)
        send_due()
    (sent,) = owner.deliveries(one)
    assert (sent["state"], sent["attempts"][0]["error"]) == ("pending", "Something went wrong here. It is tried again.")
    with later(seconds=10):
        send_due()
    assert owner.deliveries(one)[0]["state"] == "delivered"


def test_the_log_tells_nothing_that_can_be_undone(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    with transaction():
        outbox.announce("thread.opened", site.id, site.id, {}, outbox.Manner(now() + timedelta(seconds=10)))
    assert owner.deliveries(one) == []
    with later(seconds=11):
        send_due()
        assert len(owner.deliveries(one)) == 1


def test_it_is_written_down_when_a_try_began(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    happen(site)
    released()
    with time_machine.travel(now(), tick=False) as clock:
        lease, began = take_first(), now()
        clock.shift(15)
        settled(lease, Reply(status=None, error="late", milliseconds=15_000))
    assert db.session.query(Attempt).one().at == began


def test_recover_brings_nothing_from_before_the_endpoint_or_the_log(
    site: Site, owner: Owner, receiver: Receiver
) -> None:
    happen(site)
    released()
    with later(days=1):
        one = owner.listens(receiver.url)
        happen(site)
        send_due()
    since = {"since": "2020-01-01T00:00:00Z"}
    with later(days=40):
        worker.forget()
        assert owner.deliveries(one) == []
        assert owner.does("recover", one, query_string=since).json["events"] == 0


def test_one_event_is_on_its_way_once(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    send_due()
    (sent,) = owner.deliveries(one)
    again = f"/webhooks/deliveries/{sent['id']}/redeliver"
    assert [owner.call("POST", again).status_code for _ in range(2)] == [202, 409]


def test_a_replaced_secret_is_forgotten(owner: Owner) -> None:
    one = owner.listens(ELSEWHERE)
    owner.does("rotate", one)
    for hours, kept in ((23, True), (25, False)):
        with later(hours=hours):
            worker.forget()
        row = db.session.query(Endpoint).one()
        assert (row.old_secret_sealed is not None, row.old_secret_until is not None) == (kept, kept)
        db.session.rollback()


@pytest.mark.parametrize("when", ["before", "while it is sent"])
def test_an_answer_that_repeats_what_was_erased_is_forgotten(
    client: FlaskClient, owner: Owner, receiver: Receiver, when: str
) -> None:
    one = owner.listens(receiver.url, events=["comment.created"], include_email=True)
    receiver.body = b'{"you sent": "ada@mail.example.org"}'
    post(client)
    released()
    lease = take_first()
    reply = Reply(status=200, excerpt=receiver.body.decode())
    subject = lease.delivery.event.subject_id

    def erase() -> None:
        with transaction():
            outbox.rewrite([subject], lambda data: {"comment": {"id": data["comment"]["id"]}})

    steps = [lambda: settled(lease, reply), erase]
    for step in steps if when == "before" else reversed(steps):
        step()
    assert owner.deliveries(one)[0]["attempts"][0]["excerpt"] == ""


def test_an_answer_goes_with_the_address(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url, events=["comment.created"], include_email=True)
    held = post(client).json["id"]
    send_due()
    assert owner.deliveries(one)[0]["attempts"][0]["excerpt"] == "thanks"
    with transaction():
        outbox.forget_addresses([UUID(held)])
    assert owner.deliveries(one)[0]["attempts"][0]["excerpt"] == ""


def test_an_address_that_no_key_opens_is_left_out(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url, events=["comment.created"], include_email=True)
    post(client)
    with transaction():
        db.session.execute(update(Event).values(email_sealed=b"nothing that a key of ours opens"))
    send_due()
    assert "email" not in receiver.got[0].told["data"]["comment"]["author"]
