"""What Prometheus is told: by routes and outcomes, never of anybody, and also while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from service import db as database
from service import jobs, limits, metrics
from service.comments import operations as comments
from service.config import Settings
from service.db import db, transaction
from service.jobs import Job
from service.sites.models import Site
from tests.moderation.conftest import Desk
from tests.moderation.conftest import desk as desk
from tests.moderation.conftest import held as held
from tests.scrape import Scrape
from tests.support import post
from tests.webhooks.conftest import Owner, send_due
from tests.webhooks.conftest import owner as owner
from tests.webhooks.conftest import receiver as receiver
from tests.webhooks.receiver import Receiver

Grown = Callable[..., float]


@contextmanager
def grown(app: Flask) -> Iterator[Grown]:
    """By how much a counter has grown since the block began."""
    before = Scrape(app)

    def by(series: str, /, **labels: str) -> float:
        return Scrape(app).value(series, **labels) - before.value(series, **labels)

    yield by


def later(monkeypatch: pytest.MonkeyPatch, **time: float) -> None:
    then = database.now() + timedelta(**time)
    monkeypatch.setattr(database, "now", lambda: then)


def test_a_request_is_told_by_its_route_and_never_by_its_words(app: Flask, client: FlaskClient, site: Site) -> None:
    with grown(app) as by:
        assert client.get("/v1/sites/blog/thread?page=/told-to-nobody").status_code == 200
        assert client.get("/v1/sites/nobodys-site/thread?page=/x").status_code == 404
    route = {"route": "/v1/sites/<site>/thread", "method": "GET"}
    assert by("greenroom_requests_total", **route, status="2xx") == 1
    assert by("greenroom_requests_total", **route, status="4xx") == 1
    assert by("greenroom_request_seconds_count", **route) == 2
    text = Scrape(app).text
    assert "told-to-nobody" not in text and "nobodys-site" not in text


def test_what_no_route_fits_is_one_series_however_odd_it_is(app: Flask, client: FlaskClient) -> None:
    client.get("/nothing")
    before = set(Scrape(app).series)
    for n in range(20):
        client.open(f"/nothing/{n}", method=f"ODD{n}")
        client.open("/healthz", method=f"ODD{n}")
    assert set(Scrape(app).series) == before
    assert Scrape(app).value("greenroom_requests_total", route="unmatched", method="any", status="4xx") >= 40


def test_comments_are_counted_by_what_became_of_them(app: Flask, client: FlaskClient, site: Site, desk: Desk) -> None:
    with grown(app) as by:
        waits = post(client).json["id"]
        assert post(client, honeypot="x", body="Buy this.").status_code == 202
        assert post(client).status_code == 409
        assert desk.decide(waits, "approve").status_code == 200
    assert by("greenroom_comments_submitted_total", status="pending") == 1
    assert by("greenroom_comments_submitted_total", status="spam") == 1
    assert by("greenroom_comments_submitted_total", status="approved") == 0
    assert by("greenroom_decisions_total", to="approved", actor="token") == 1


def test_what_is_not_committed_is_not_counted(
    app: Flask, client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception())

    with grown(app) as by:
        with monkeypatch.context() as patched:
            patched.setattr(comments, "announce", broken)
            assert post(client).status_code == 503
        assert by("greenroom_comments_submitted_total", status="pending") == 0
        assert post(client).status_code == 202
        assert by("greenroom_comments_submitted_total", status="pending") == 1


def test_a_decision_that_is_undone_is_counted(app: Flask, desk: Desk, held: str) -> None:
    with grown(app) as by:
        done = desk.decide(held, "reject")
        assert desk.call("POST", f"/moderation/decisions/{done.json['decision_id']}/undo").status_code == 200
    assert by("greenroom_decisions_undone_total") == 1


def test_the_queue_is_told_with_the_age_of_what_waits_longest(
    app: Flask, held: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, hours=1)
    post(client, body="Something else.")
    told = Scrape(app)
    assert told.value("greenroom_queue_comments") == 2
    assert 3_600 <= told.value("greenroom_queue_oldest_seconds") < 3_700


def test_an_empty_queue_has_no_age(app: Flask) -> None:
    told = Scrape(app)
    names = ("greenroom_queue_comments", "greenroom_queue_oldest_seconds", "greenroom_deliveries_overdue_seconds")
    assert [told.series[name, frozenset()] for name in names] == [0, 0, 0]


def test_where_no_worker_works_the_outbox_grows_old(
    app: Flask, owner: Owner, receiver: Receiver, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.listens(receiver.url, events=["comment.created"])
    assert post(client).status_code == 202
    later(monkeypatch, minutes=10)
    told = Scrape(app)
    assert told.value("greenroom_events_unreleased") >= 1
    assert told.value("greenroom_events_overdue_seconds") >= 600
    assert told.value("greenroom_deliveries_pending") == 1
    send_due()
    told = Scrape(app)
    assert [told.value(f"greenroom_{one}") for one in ("events_unreleased", "deliveries_pending")] == [0, 0]


def test_tries_are_told_by_what_came_of_them(app: Flask, owner: Owner, receiver: Receiver, client: FlaskClient) -> None:
    owner.listens(receiver.url, events=["comment.created"])
    with grown(app) as by:
        post(client)
        send_due()
        receiver.answers = [(500, {})]
        post(client, body="Something else.")
        send_due()
    assert by("greenroom_webhook_attempt_seconds_count", result="delivered") == 1
    assert by("greenroom_webhook_attempt_seconds_count", result="refused") == 1


def test_a_receiver_that_fails_does_not_make_the_outbox_old(
    app: Flask, owner: Owner, receiver: Receiver, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.listens(receiver.url, events=["comment.created"])
    receiver.answers = [(500, {})]
    post(client)
    send_due()
    later(monkeypatch, hours=1)
    told = Scrape(app)
    assert told.value("greenroom_deliveries_pending") == 1
    assert told.value("greenroom_deliveries_overdue_seconds") == 0


def test_calls_beyond_a_limit_are_told_by_its_name(app: Flask) -> None:
    limited = Flask("limited")
    limits.init_app(limited, Settings())
    limited.add_url_rule("/", view_func=lambda: str(limits.within("1/hour", "trial", "somebody")))
    with grown(app) as by:
        assert [limited.test_client().get("/").text for _ in range(3)] == ["True", "False", "False"]
    assert by("greenroom_limit_refusals_total", limit="trial") == 2


def test_jobs_are_counted_with_those_that_fail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(jobs, "_jobs", [Job("broken", 60, broken), Job("whole", 60, lambda: False)])
    with grown(app) as by:
        jobs.run_all()
    assert by("greenroom_jobs_total", name="broken", result="failed") == 1
    assert by("greenroom_jobs_total", name="whole", result="done") == 1


def test_every_job_is_told_before_it_first_fails(app: Flask) -> None:
    """Else the first failure would be a series that begins with 1, and no increase."""
    told = Scrape(app).series
    named = [one.name for one in jobs._jobs]
    assert named and all(
        ("greenroom_jobs_total", frozenset({("name", name), ("result", "failed")})) in told for name in named
    )


def test_connections_are_told(app: Flask) -> None:
    told = Scrape(app)
    assert told.value("greenroom_database_pool_size") == db.engine.pool.size()  # type: ignore[attr-defined]
    with db.engine.connect():
        more = Scrape(app).value("greenroom_database_connections", state="in use")
    assert more == told.value("greenroom_database_connections", state="in use") + 1


def test_while_the_database_is_away_the_rest_is_told(app: Flask, client: FlaskClient) -> None:
    client.get("/healthz")
    assert Scrape(app).value("greenroom_database_up") == 1

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception())

    event.listen(db.engine, "before_cursor_execute", away)
    try:
        told = Scrape(app)
    finally:
        event.remove(db.engine, "before_cursor_execute", away)
    assert ("greenroom_database_up", frozenset()) in told.series and told.value("greenroom_database_up") == 0
    assert ("greenroom_queue_comments", frozenset()) not in told.series
    assert told.value("greenroom_requests_total", route="/healthz", method="GET", status="2xx")
    assert told.value("process_open_fds") and told.value("greenroom_build_info", version="0.1.0", process="web") == 1


def test_a_scrape_leaves_no_transaction_open(app: Flask) -> None:
    with transaction():
        pass
    metrics.page(app)
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_nobody_listens_unless_a_port_is_set(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, str]] = []
    heard = metrics.Thread
    monkeypatch.setattr(metrics, "Thread", lambda **more: asked.append(more["args"][:2]) or heard(target=int))
    metrics.serve(app, "web")
    assert asked == []
    monkeypatch.setitem(app.extensions, "greenroom_settings", replace(settings, metrics_port=9))
    metrics.serve(app, "web")
    assert asked == [("127.0.0.1", 9)]
