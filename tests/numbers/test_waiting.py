"""Since when something waits: since it came into the queue, whenever it was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.comments.models import Comment
from service.comments.operations import new_author, write
from service.comments.restoring import restore
from service.db import new_id, now, transaction
from service.numbers import worker
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import open_page
from service.webhooks.outbox import release_due
from tests.comments.test_submitting import set_site
from tests.moderation.conftest import Desk
from tests.moderation.still import clock as clock
from tests.moderation.still import said
from tests.reactions.test_reports import report

YEARS = timedelta(days=730)


@pytest.fixture(autouse=True)
def held_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a decision nobody hears for ten seconds; the site's comments should wait an hour at most."""
    slow = replace(app.extensions["greenroom_settings"], undo_seconds=10.0)
    monkeypatch.setitem(app.extensions, "greenroom_settings", slow)


@pytest.fixture
def hour(site: Site) -> Site:
    set_site(site, target_age_minutes=60)
    return site


def waited(desk: Desk) -> int | None:
    """For how many seconds what waits longest has waited; nothing is overdue before its hour."""
    found = desk.get("/moderation/stats").json
    oldest: int | None = found["age"]["oldest"]
    assert bool(found["overdue"]) is (oldest is not None and oldest > 60 * 60)
    return oldest


def release() -> None:
    with transaction():
        release_due()


def test_what_is_restored_waits_since_then(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    one = str(said(client))
    desk.decide(one, "spam")
    clock.shift(YEARS)
    desk.decide(one, "restore", "*")
    assert waited(desk) == 0
    clock.shift(timedelta(minutes=30))
    assert waited(desk) == 30 * 60
    worker.look()
    assert desk.get("/events", types="queue.overdue").json["events"] == []


def test_what_readers_report_waits_since_then(
    app: Flask, client: FlaskClient, desk: Desk, hour: Site, clock: Any
) -> None:
    one = str(said(client))
    desk.decide(one, "approve")
    set_site(hour, hold_after_reports=1)
    clock.shift(YEARS)
    report(app, one)
    assert waited(desk) == 0


def test_what_is_imported_waits_since_then(site: Site, desk: Desk, hour: Site, clock: Any) -> None:
    with transaction():
        page = open_page(site, canonical("/a", origins=site.origins), "", actor="test")
        old = Comment(
            id=new_id(), site_id=site.id, page_id=page.id, name="Nora", author_id=new_author(site).id,
            created_at=now() - YEARS,
        )  # fmt: skip
        write(old, "Long ago.", "md")
        restore([(old, "pending")])
    assert waited(desk) == 0


def test_an_undo_of_which_nobody_heard_goes_on_waiting(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    one = str(said(client))
    clock.shift(timedelta(hours=2))
    decision = desk.decide(one, "approve").json["decision_id"]
    clock.shift(timedelta(seconds=5))
    desk.call("POST", f"/moderation/decisions/{decision}/undo")
    assert waited(desk) == 2 * 60 * 60 + 5


def test_what_a_late_undo_brings_back_waits_since_then(client: FlaskClient, desk: Desk, hour: Site, clock: Any) -> None:
    one = str(said(client))
    decision = desk.decide(one, "approve").json["decision_id"]
    clock.shift(timedelta(days=1))
    release()
    desk.call("POST", f"/moderation/decisions/{decision}/undo")
    assert waited(desk) == 0


def test_an_undo_leads_back_to_a_decision_and_nothing_waits(client: FlaskClient, desk: Desk, clock: Any) -> None:
    one = str(said(client))
    desk.decide(one, "approve")
    decision = desk.decide(one, "spam", "*").json["decision_id"]
    desk.call("POST", f"/moderation/decisions/{decision}/undo")
    assert waited(desk) is None
