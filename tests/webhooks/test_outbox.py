"""The outbox and the pull feed: in order, each once, none skipped."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from service.db import db, new_id, now, transaction, writing
from service.errors import Conflict
from service.moderation import site_routes
from service.sites.models import Site
from service.webhooks import outbox
from service.webhooks.models import Event, EventHead
from tests.moderation.conftest import Desk, token_of
from tests.support import post

WRITERS, EACH = 8, 25


@pytest.fixture
def desk(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("robin", site.id))


def test_the_feed_tells_what_happened_in_order(client: FlaskClient, desk: Desk) -> None:
    held = post(client).json["id"]
    desk.decide(held, "approve")
    found = desk.get("/events").json
    assert [one["type"] for one in found["events"]] == ["thread.opened", "comment.created", "comment.approved"]
    assert found["next"] == found["events"][-1]["seq"]
    assert desk.get("/events", after=found["next"]).json == {"events": [], "next": found["next"]}


def test_held_and_approved_are_joined_by_one_id(client: FlaskClient, desk: Desk) -> None:
    held = post(client).json["id"]
    desk.decide(held, "approve")
    found = desk.get("/events", types="comment.created,comment.approved").json["events"]
    assert [(one["data"]["comment"]["id"], one["data"]["comment"]["status"]) for one in found] == [
        (held, "pending"),
        (held, "approved"),
    ]


def test_a_reader_who_is_refused_releases_nothing(client: FlaskClient, desk: Desk) -> None:
    post(client)
    assert desk.get("/events", site="nowhere").status_code == 404
    assert db.session.scalars(select(Event.seq)).all() == [None, None]


def test_an_event_tells_no_address_and_no_html(client: FlaskClient, desk: Desk) -> None:
    post(client, body="x" * 9_000)
    told = desk.get("/events", types="comment.created").text
    (event,) = desk.get("/events", types="comment.created").json["events"]
    assert "ada@" not in told and "html" not in event["data"]["comment"]
    assert event["data"]["comment"]["truncated"] is True
    assert len(event["data"]["comment"]["text"].encode()) == 4_000
    assert len(told.encode()) < 20_000


@pytest.mark.parametrize("letter", ["ж", "😀", '"', "\\", "<"])
def test_no_event_is_larger_than_a_webhook_may_be(app: Flask, site: Site, desk: Desk, letter: str) -> None:
    """20 kB, by Standard Webhooks; with every field at its longest."""
    answer = post(app.test_client(), name=letter * 80, page_title=letter * 300, body=letter * 10_000,
                  website="https://example.org/" + "a" * 180, page="/" + "a" * 1_900)  # fmt: skip
    held = answer.json["id"]
    desk.decide(held, "reject", reason=letter * 500)
    found = desk.get("/events", types="comment.rejected")
    assert len(found.json["events"]) == 1
    assert len(found.data) < 20_000
    stored = db.session.scalar(text("SELECT max(length(CAST(data AS TEXT))) FROM events"))
    assert stored < 20_000


def test_a_type_that_no_event_has_is_refused(desk: Desk) -> None:
    assert "types.0" in desk.get("/events", types="comment.aproved").json["errors"]


def test_the_feed_is_read_while_somebody_writes(app: Flask, client: FlaskClient, desk: Desk) -> None:
    post(client)
    desk.get("/events")
    with writing() as writer:
        writer.execute(select(EventHead).with_for_update())
        began = time.monotonic()
        found = desk.get("/events")
        assert (found.status_code, len(found.json["events"])) == (200, 2)
        assert time.monotonic() - began < 2


def test_a_reader_of_the_feed_waits_for_no_writer(
    app: Flask, client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client)
    asked: list[float | None] = []
    whole = site_routes.transaction

    def transaction(*, patience: float | None = None) -> Any:
        asked.append(patience)
        return whole(patience=patience)

    monkeypatch.setattr(site_routes, "transaction", transaction)
    with writing() as writer:
        writer.execute(select(EventHead).with_for_update())
        assert desk.get("/events").status_code == 200
    assert asked == [0]
    usual = app.extensions["greenroom_settings"].busy_timeout
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":  # what a reader asked for is not what the next one gets
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == usual * 1000


def test_the_feed_tells_what_is_released_when_nothing_can_be_written(
    client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client)
    desk.get("/events")
    post(client, body="Once more")

    def locked(*, wait: bool) -> None:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    monkeypatch.setattr("service.webhooks.queries.locked_head", locked)
    found = desk.get("/events")
    assert (found.status_code, len(found.json["events"])) == (200, 2)


def test_an_event_is_told_only_when_it_is_due(desk: Desk, site: Site) -> None:
    with transaction():
        outbox.announce("thread.opened", site.id, new_id(), {}, outbox.Manner(now() + timedelta(seconds=60)))
    assert desk.get("/events").json["events"] == []


def test_what_is_rolled_back_is_never_told(desk: Desk, site: Site) -> None:
    with pytest.raises(Conflict), transaction():
        outbox.announce("thread.opened", site.id, new_id(), {})
        raise Conflict()
    assert desk.get("/events").json["events"] == []


def pulled_while_written(app: Flask, site: Site) -> list[str]:
    """Pull by cursor while 8 writers commit after random delays; ids in the order pulled."""
    site_id, left = site.id, threading.Semaphore(0)

    def write(seed: int) -> None:
        chance = random.Random(seed)
        with app.app_context():
            for _ in range(EACH):
                with transaction():
                    outbox.announce("thread.opened", site_id, new_id(), {})
                    db.session.flush()
                    threading.Event().wait(chance.random() / 100)
            db.session.remove()
        left.release()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    pulled: list[str] = []
    after, done = 0, 0
    while True:
        done += left.acquire(blocking=False)
        finished = done == WRITERS
        with transaction():
            outbox.release_due()
        found = outbox.queries.released([site_id], after=after, types=(), limit=7)
        pulled += [str(event.id) for event in found]
        after = found[-1].seq or 0 if found else after
        db.session.rollback()
        if finished and not found:
            break
    for thread in threads:
        thread.join()
    return pulled


def test_8_writers_and_a_cursor_that_misses_none(app: Flask, site: Site) -> None:
    pulled = pulled_while_written(app, site)
    assert len(pulled) == len(set(pulled)) == WRITERS * EACH
    assert db.session.scalar(select(func.count()).select_from(Event)) == WRITERS * EACH


def test_a_number_given_before_the_commit_would_be_skipped(app: Flask, site: Site) -> None:
    """Control: what the releaser prevents. A later number is seen first, and the cursor runs past the earlier one."""
    with transaction():
        late = outbox.announce("thread.opened", site.id, new_id(), {})
        early = outbox.announce("thread.opened", site.id, new_id(), {})
        db.session.get_one(Event, early).seq = 2
    first = outbox.queries.released([site.id], after=0, types=(), limit=7)
    with transaction():
        db.session.get_one(Event, late).seq = 1
    then = outbox.queries.released([site.id], after=first[-1].seq or 0, types=(), limit=7)
    assert late not in {event.id for event in [*first, *then]}
