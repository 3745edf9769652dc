"""A queue that waits longer than its site wants: told once, and again only after it was within its target."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import db, new_id, now, transaction
from service.numbers import queries, worker
from service.numbers.models import OverdueQueue
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.moderation.conftest import Desk
from tests.moderation.still import said


def told(desk: Desk) -> list[dict[str, Any]]:
    found = desk.get("/events", types="queue.overdue").json["events"]
    return [one["data"]["queue"] for one in found]


@pytest.fixture
def hour(site: Site) -> Site:
    """A site whose comments should wait an hour at most."""
    set_site(site, target_age_minutes=60)
    return site


def test_a_queue_past_its_target_is_told_once(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    said(client)
    clock.shift(timedelta(minutes=59))
    worker.look()
    assert told(desk) == []
    clock.shift(timedelta(minutes=2))
    for _ in range(3):
        worker.look()
        clock.shift(timedelta(minutes=1))
    (queue,) = told(desk)
    assert (queue["site"], queue["pending"], queue["target_age_minutes"]) == ("blog", 1, 60)
    assert queue["oldest_pending_at"]


def test_it_is_told_again_after_it_was_within_its_target(
    client: FlaskClient, desk: Desk, hour: Site, clock: Any
) -> None:
    one = str(said(client))
    clock.shift(timedelta(hours=2))
    worker.look()
    desk.decide(one, "approve")
    worker.look()
    assert db.session.query(OverdueQueue).count() == 0
    said(client)
    worker.look()
    assert len(told(desk)) == 1
    clock.shift(timedelta(hours=2))
    worker.look()
    assert len(told(desk)) == 2


def test_another_old_comment_is_no_new_event(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    one = str(said(client))
    said(client)
    clock.shift(timedelta(hours=2))
    worker.look()
    desk.decide(one, "approve")
    worker.look()
    assert len(told(desk)) == 1


def test_a_site_without_a_target_is_never_overdue(client: FlaskClient, desk: Desk, clock: Any) -> None:
    said(client)
    clock.shift(timedelta(days=300))
    worker.look()
    assert told(desk) == [] and desk.get("/moderation/stats").json["overdue"] == []


def test_a_target_that_is_taken_away_is_forgotten(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    said(client)
    clock.shift(timedelta(hours=2))
    worker.look()
    assert [one["site"] for one in desk.get("/moderation/stats").json["overdue"]] == ["blog"]
    set_site(hour, target_age_minutes=None)
    worker.look()
    assert db.session.query(OverdueQueue).count() == 0


def test_only_the_late_site_is_told(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    add_site("other", ["https://other.example.org"], target_age_minutes=1)
    said(client)
    clock.shift(timedelta(hours=2))
    worker.look()
    assert [one["site"] for one in told(desk)] == ["blog"]


def test_of_two_who_note_it_one_is_first(app: Flask, site: Site) -> None:
    with transaction():
        assert queries.note_overdue(site.id, now())
    with transaction():
        assert not queries.note_overdue(site.id, now())
        queries.forget_overdue([new_id()])
    assert db.session.query(OverdueQueue).count() == 0


@pytest.mark.parametrize(("value", "taken"), [("60", True), ("", True), ("0", False), ("-1", False), ("x", False)])
def test_the_target_is_set_by_command(app: Flask, site: Site, value: str, taken: bool) -> None:
    done = app.test_cli_runner().invoke(args=["sites", "set", "blog", f"target_age_minutes={value}"])
    assert (done.exit_code == 0) is taken, done.output
