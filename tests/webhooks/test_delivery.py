"""What happens reaches the endpoints of its site: signed, once if it can be, and again until it does."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from service.db import db, new_id, now, transaction
from service.outbound.transport import Reply
from service.sites.models import Site
from service.webhooks import outbox, policy, queries, sending, worker
from service.webhooks.models import Delivery
from tests.conftest import add_site
from tests.support import post

from .conftest import Owner, send_due
from .receiver import Receiver


def happen(site: Site, type_: str = "thread.opened") -> UUID:
    """Something; the id of its event."""
    with transaction():
        return outbox.announce(type_, site.id, new_id(), {"page": {"title": "x"}})


def later(**much: float) -> Any:
    return time_machine.travel(now() + timedelta(**much), tick=False)


def test_every_event_of_a_comment_arrives_signed(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    held = post(client).json["id"]
    owner.decide(held, "approve")

    assert send_due() == 3
    assert receiver.types() == ["thread.opened", "comment.created", "comment.approved"]
    assert {got.told["data"]["comment"]["id"] for got in receiver.got[1:]} == {held}
    for got in receiver.got:
        Webhook(one["secret"]).verify(got.body, got.headers)
        assert "ada@" not in got.body.decode() and len(got.body) < 20_000
    feed = owner.get("/events").json["events"]
    assert [(one["id"], one["type"], one["timestamp"], one["data"]) for one in feed] == [
        (got.id, *got.told.values()) for got in receiver.got
    ]


def test_what_was_delivered_is_not_sent_again(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    assert (send_due(), send_due()) == (1, 0)
    (sent,) = owner.deliveries(one)
    (tried,) = sent["attempts"]
    assert (sent["state"], sent["next_at"], tried["status"], tried["excerpt"]) == ("delivered", None, 200, "thanks")


def test_only_what_is_wanted_is_sent(site: Site, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url, events=["thread.closed"])
    happen(site)
    happen(site, "thread.closed")
    send_due()
    assert receiver.types() == ["thread.closed"]


def test_another_sites_events_stay_there(site: Site, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url)
    happen(add_site("other", ["https://other.example.org"]))
    assert (send_due(), receiver.got) == (0, [])


def test_what_is_undone_in_time_is_never_sent(app: Flask, site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    with transaction():
        event = outbox.announce("thread.opened", site.id, new_id(), {}, outbox.Manner(now() + timedelta(seconds=10)))
    assert send_due() == 0
    with transaction():
        assert outbox.withdraw(event)
    with later(seconds=11):
        assert (send_due(), owner.deliveries(one)) == (0, [])


def test_a_failure_is_tried_again_by_the_schedule(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    event = happen(site)
    receiver.answers = [(500, {})] * 10
    moment, gaps = now(), []
    for _ in policy.SCHEDULE:
        with time_machine.travel(moment, tick=False):
            assert send_due() == 1
            (sent,) = owner.deliveries(one)
            if sent["next_at"]:
                due = queries.delivery(UUID(sent["id"]))
                assert due and due.next_at
                gaps.append((due.next_at - moment).total_seconds())
                moment = due.next_at
    assert sent["state"] == "failed" and len(sent["attempts"]) == 10
    for gap, planned in zip(gaps, policy.SCHEDULE[1:], strict=True):
        assert 0.8 * planned.total_seconds() <= gap <= 1.2 * planned.total_seconds()
    assert {got.id for got in receiver.got} == {str(event)}
    stamps = [int(got.headers["webhook-timestamp"]) for got in receiver.got]
    assert stamps == sorted(set(stamps))


def test_it_succeeds_when_the_receiver_does(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    receiver.answers = [(503, {}), (302, {"Location": receiver.url})]
    happen(site)
    send_due()
    assert owner.endpoint(one)["failing_since"]
    with later(seconds=10):
        send_due()  # a redirect is a failure, and followed by nobody
    with later(hours=1):
        send_due()
    (sent,) = owner.deliveries(one)
    assert [tried["status"] for tried in sent["attempts"]] == [503, 302, 200]
    assert (sent["state"], owner.endpoint(one)["failing_since"]) == ("delivered", None)
    assert len(receiver.got) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_say_when_to_come_again(site: Site, owner: Owner, receiver: Receiver, status: int) -> None:
    owner.listens(receiver.url)
    receiver.answers = [(status, {"Retry-After": "3600"})]
    happen(site)
    send_due()
    with later(seconds=3_500):
        assert send_due() == 0
    with later(seconds=3_601):
        assert send_due() == 1


def test_one_that_is_gone_is_disabled_and_others_are_told(site: Site, owner: Owner, receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    gone = owner.listens(receiver.url, events=["thread.opened"])
    owner.listens(receiver.url, events=["endpoint.disabled"])
    happen(site)
    send_due()
    found = owner.endpoint(gone)
    assert (found["enabled"], "410" in found["disabled_because"]) == (False, True)
    send_due()
    assert receiver.got[-1].told["data"]["endpoint"]["id"] == gone["id"]
    happen(site)
    assert send_due() == 0


def test_one_that_fails_for_five_days_is_disabled(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    receiver.answers = [(500, {})] * 20
    happen(site)
    send_due()
    for hours in (20, 23):
        with later(days=4, hours=hours):
            happen(site)
            send_due()
            assert owner.endpoint(one)["enabled"]
    with later(days=5, hours=9):
        happen(site)
        send_due()
        assert not owner.endpoint(one)["enabled"]
        assert send_due() == 0
        (disabled,) = owner.get("/events", types="endpoint.disabled").json["events"]
    assert disabled["data"]["because"] == "Nothing came through for five days."


def test_what_waits_for_a_disabled_one_is_given_up_and_recovered(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    began = now()
    receiver.answers = [(500, {}), (410, {})]
    events = [happen(site), happen(site)]
    send_due()
    with later(seconds=10):
        send_due()
    assert [sent["state"] for sent in owner.deliveries(one)] == ["failed", "failed"]
    assert owner.does("recover", one, query_string={"since": began.isoformat()}).status_code == 409
    assert owner.does("enable", one).json["enabled"]
    receiver.got.clear()
    answer = owner.does("recover", one, query_string={"since": began.isoformat()})
    assert (answer.status_code, answer.json["events"]) == (202, 3)  # and that it was disabled
    send_due()
    assert [UUID(got.id) for got in receiver.got][:2] == events
    again = owner.does("recover", one, query_string={"since": began.isoformat()})
    assert again.json["events"] == 0


def test_a_replay_has_the_same_id(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    send_due()
    (sent,) = owner.deliveries(one)
    answer = owner.call("POST", f"/webhooks/deliveries/{sent['id']}/redeliver")
    assert (answer.status_code, answer.json["replay"]) == (202, True)
    assert owner.call("POST", f"/webhooks/deliveries/{answer.json['id']}/redeliver").status_code == 409
    send_due()
    assert len({got.id for got in receiver.got}) == 1 and len(receiver.got) == 2


def test_a_test_goes_to_the_one_that_is_tested(owner: Owner, receiver: Receiver) -> None:
    one, _other = owner.listens(receiver.url), owner.listens(receiver.url)
    assert owner.does("test", one).status_code == 202
    assert send_due() == 1
    assert (receiver.types(), receiver.got[0].told["data"]["endpoint"]) == (["ping"], {"id": one["id"]})


def test_two_secrets_sign_for_a_day(site: Site, owner: Owner, receiver: Receiver) -> None:
    old = owner.listens(receiver.url)
    new = owner.does("rotate", old).json
    happen(site)
    send_due()
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)
    with later(hours=25):
        happen(site)
        send_due()
        Webhook(new["secret"]).verify(receiver.got[-1].body, receiver.got[-1].headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(old["secret"]).verify(receiver.got[-1].body, receiver.got[-1].headers)


def test_an_address_is_sent_to_who_asked_for_it(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url, events=["comment.created"], include_email=True)
    owner.listens(receiver.url, events=["comment.created"])
    post(client)
    send_due()
    authors = [got.told["data"]["comment"]["author"] for got in receiver.got]
    assert sorted(one.get("email", "") for one in authors) == ["", "ada@mail.example.org"]
    assert "ada@" not in owner.get("/events").text


def test_the_lease_keeps_a_second_worker_away(site: Site, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url)
    happen(site)
    receiver.hold = threading.Event()
    first = _taken()
    assert first
    assert _taken() is None
    with later(seconds=61):
        assert _taken(), "whoever had it is dead"


def _taken() -> sending.Lease | None:
    with transaction():
        outbox.release_due()
    with transaction():
        (one,) = _all()
        return sending.take(one)


def _all() -> list[UUID]:
    return list(db.session.scalars(select(Delivery.id)))


def test_who_comes_after_the_lease_settles_nothing(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    late = _taken()
    assert late
    with later(seconds=61):
        again = _taken()
        assert again
        with transaction():
            sending.settle(again, Reply(status=200))
        with transaction():
            assert sending.settle(late, Reply(status=500)) is None
    (sent,) = owner.deliveries(one)
    assert (sent["state"], [tried["status"] for tried in sent["attempts"]]) == ("delivered", [200, 500])
    assert owner.endpoint(one)["failing_since"] is None


def test_one_endpoint_takes_no_more_than_its_share(site: Site, owner: Owner, receiver: Receiver) -> None:
    owner.listens(receiver.url)
    for _ in range(policy.MOST_AT_ONCE + 1):
        happen(site)
    with transaction():
        outbox.release_due()
    taken = []
    for one in _all():
        with transaction():
            taken.append(sending.take(one))
    assert [lease is None for lease in taken] == [False] * policy.MOST_AT_ONCE + [True]


def test_looking_again_does_not_fill_the_queue(site: Site, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog is found at each look; what is prompted already is not prompted for ever."""
    owner.listens("https://receiver.example.org/")
    happen(site)
    with transaction():
        outbox.release_due()
    prompted: list[str] = []
    monkeypatch.setattr(worker, "prompt", lambda _name, about, **_: prompted.append(about))
    for number in (0, 999, 1_000):
        monkeypatch.setattr(worker, "waiting", lambda number=number: number)
        worker.sweep()
    assert len(prompted) == 2


def test_what_is_done_long_ago_is_forgotten(site: Site, owner: Owner, receiver: Receiver) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    send_due()
    with later(days=29):
        worker.forget()
        assert len(owner.deliveries(one)) == 1
    with later(days=31):
        worker.forget()
        assert owner.deliveries(one) == []
