"""What is asked all day is answered by an index, however many rows there are.

On SQLite, whose planner goes by rules where there are no statistics; PostgreSQL's looks at the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from service.app import create_app
from service.audit import queries as audit
from service.audit.queries import Asked
from service.authors import queries as authors
from service.cli.operate import upgrade
from service.comments import queries as comments
from service.comments.models import Comment
from service.comments.shown import queries as shown
from service.config import Settings
from service.db import db, new_id, now
from service.filters import queries as filters
from service.moderation import queries as moderation
from service.moderation.queries import Filter
from service.numbers import queries as numbers
from service.pagination import Position
from service.reactions import queries as reactions
from service.rules import queries as rules
from service.sites import queries as sites
from service.webhooks import queries as events
from service.webhooks.turns import queries as turns

ID = new_id()
AFTER = Position(now(), ID)


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed inside."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def on_sqlite(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app on an empty SQLite file of its own; nothing here writes to it."""
    path = tmp_path_factory.mktemp("plans") / "greenroom.db"
    app = create_app(replace(settings, database_url=f"sqlite:///{path}"))
    with app.app_context():
        upgrade()
    return app


@pytest.fixture
def app(on_sqlite: Flask) -> Iterator[Flask]:
    with on_sqlite.app_context():
        yield on_sqlite
        db.session.remove()
        db.engine.dispose()


def plan(ask: Callable[[], Any]) -> str:
    """How the database answers the last question that is asked."""
    with asked() as statements:
        ask()
    (statement, parameters) = statements[-1]
    rows = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    db.session.rollback()
    return "\n".join(str(row[3]) for row in rows)


def queue(status: str | None, sort: str) -> Callable[[], Any]:
    return lambda: moderation.places(Filter([ID], status), sort=sort, after=AFTER, limit=50)


def before() -> Any:
    return comments.before(comments.Poster(ID, ID, "x", b"x" * 32), "x", "x", has_rating=True)


SAME = "alike_text=? AND created_at>?)"


HOT: dict[str, tuple[str, Callable[[], Any]]] = {
    "roots": ("ix_comments_thread", lambda: shown.published(ID, sort="oldest", after=AFTER, limit=50)),
    "newest roots": ("ix_comments_thread", lambda: shown.published(ID, sort="newest", after=AFTER, limit=50)),
    "pinned roots": (
        "ix_comments_pinned",
        lambda: shown.published(ID, sort="oldest", after=None, limit=3, pinned=True),
    ),
    "rules about an address": ("ix_rules_site_id_email_index", lambda: rules.matching(ID, ["x"], b"x" * 32)),
    "rules about anything": ("(site_id=? AND value=?)", lambda: rules.matching(ID, ["x", "y"], None)),
    "rules of a site": ("ix_rules_site_id_created_at_id", lambda: rules.listed([ID], None, after=AFTER, limit=50)),
    "latest": ("ix_comments_latest", lambda: shown.latest(ID, page_id=None, after=AFTER, limit=50)),
    "queue": ("ix_comments_latest", queue("pending", "oldest")),
    "newest in the queue": ("ix_comments_latest", queue("pending", "newest")),
    "what is alike in the queue": (
        "ix_comments_alike_host",
        lambda: moderation.places(
            Filter([ID], "pending", alike="host:x.example"), sort="oldest", after=AFTER, limit=50
        ),
    ),
    "what came last into the queue": ("ix_comments_waiting", lambda: filters.arrivals(Filter([ID], "pending"))),
    "what came last into another list": ("ix_comments_latest", lambda: filters.arrivals(Filter([ID], "approved"))),
    "what came last of all": ("ix_comments_every", lambda: filters.arrivals(Filter([ID]))),
    "every comment": ("ix_comments_every", queue(None, "oldest")),
    "said by an author": (f"ix_comments_said_author (author_id=? AND page_id=? AND {SAME}", before),
    "rated by an author": ("author (author_id=? AND page_id=?)", before),
    "said from a network": (f"ix_comments_said_network (page_id=? AND network_label=? AND {SAME}", before),
    "said with an address": (f"ix_comments_said_email (page_id=? AND email_index=? AND {SAME}", before),
    "rated with an address": ("ix_comments_said_email (page_id=? AND email_index=?)", before),
    "said without a word": (
        f"ix_comments_said_network (page_id=? AND network_label=? AND {SAME}",
        lambda: comments.before(comments.Poster(ID, ID, "x", b"x" * 32), "!", None, has_rating=False),
    ),
    "what an address leads to": ("(site_id=? AND key=?)", lambda: sites.key_of(ID, "x")),
    "what of a subject is held back": ("ix_events_subject_id", lambda: events.held_back_until(ID)),
    "unchecked addresses": ("ix_comments_unchecked", lambda: comments.unchecked_addresses(20)),
    "audit": (
        "ix_audit_entries_chain_at_id",
        lambda: audit.listed(["x"], Asked(), after=AFTER, limit=50),
    ),
    "the audit log by actor": (
        "ix_audit_entries_chain_actor_at_id",
        lambda: audit.listed(["x"], Asked(actors=["x"]), after=AFTER, limit=50),
    ),
    "the audit log by action": (
        "ix_audit_entries_chain_action_at_id",
        lambda: audit.listed(["x"], Asked(action="x"), after=AFTER, limit=50),
    ),
    "how long what waits has waited": ("COVERING INDEX ix_comments_waiting", lambda: numbers.waiting_since([ID], 9)),
    "what waits longest on a site": ("COVERING INDEX ix_comments_waiting", lambda: numbers.queues([ID])),
    "how many wait anywhere": ("COVERING INDEX ix_comments_waiting", numbers.waiting),
    "what is not released": ("(seq=?)", events.unreleased),
    "what is on its way": ("ix_webhook_deliveries_", lambda: events.backlog(now())),
    "how many wait": ("COVERING INDEX ix_comments_", lambda: numbers.pending([ID])),
    "how many wait, up to a number": (
        "COVERING INDEX ix_comments_",
        lambda: moderation.count(Filter([ID], "pending"), 9),
    ),
    "a vote": ("(comment_id=? AND device_digest=?)", lambda: reactions.vote_of(ID, b"x" * 32)),
    "reports": (
        "(comment_id=?)",
        lambda: reactions.count_reports(ID, since=now()),
    ),
    "an author's comments": ("ix_comments_mine", lambda: authors.written_by(ID, after=AFTER, limit=50)),
    "what waits of a change": ("(comment_id=?)", lambda: authors.held(ID)),
    "what was erased": ("ix_comments_erased", lambda: authors.is_erased_since(now())),
    "the events of a comment": ("ix_events_subject_id", lambda: events.about([ID])),
    "events": ("seq", lambda: events.released([ID], after=9, types=(), limit=50)),
}


@pytest.mark.parametrize("name", HOT)
def test_an_index_answers_in_order(app: Flask, name: str) -> None:
    index, ask = HOT[name]
    found = plan(ask)
    assert index in found
    assert "TEMP B-TREE" not in found


def test_those_that_are_alike_are_counted_from_indexes_alone(app: Flask) -> None:
    rows = [Comment(alike_host="x.example", alike_text="0123456789abcdef")]
    found = plan(lambda: filters.alike(Filter([ID], "pending"), rows))
    for name in ("host", "text"):
        assert f"COVERING INDEX ix_comments_alike_{name} (site_id=? AND status=? AND alike_{name}=?)" in found


@pytest.mark.parametrize("status", ["pending", "approved", None])
def test_what_came_last_is_held_to_a_filter_among_few(app: Flask, status: str | None) -> None:
    """Every open desk asks for it again and again: a filter that few match must not go through all that wait."""
    wanted = Filter([ID], status, has_link=True)
    found = plan(lambda: db.session.execute(moderation.matching(select(Comment.id), wanted, among=[ID, ID])))
    assert found.splitlines()[0].endswith("(id=?)")


def test_what_no_index_orders_is_seen(app: Flask) -> None:
    """Control: the place of every vote is in no index."""
    found = plan(lambda: shown.published(ID, sort="top", after=None, limit=50))
    assert "TEMP B-TREE" in found


def test_who_has_taken_what_is_asked_of_the_few_that_are_taken(app: Flask) -> None:
    found = plan(lambda: moderation.claims_by_moderator([ID]))
    assert "SEARCH claims" in found and "ix_comments_" not in found


def test_a_delivery_is_found_and_taken_by_the_index_of_what_waits(app: Flask) -> None:
    """A log of a month must not be read at each try, with the write lock held."""
    for ask in (lambda: turns.next_of(ID, now()), lambda: turns.claim(ID, ID, now(), now())):
        found = plan(ask)
        assert "ix_webhook_deliveries_waiting (endpoint_id=?" in found and "ix_webhook_deliveries_endpoint" not in found
        assert "SCAN webhook" not in found
    assert "TEMP B-TREE" not in plan(lambda: turns.next_of(ID, now()))
    assert "ix_webhook_attempts_endpoint_id_at (endpoint_id=? AND at<?)" in plan(lambda: turns.due_deliveries(now()))


def test_the_feed_of_one_page_reads_that_page_only(app: Flask) -> None:
    found = plan(lambda: shown.latest(ID, page_id=ID, after=None, limit=50))
    assert "ix_comments_on_page (site_id=? AND page_id=? AND status=?)" in found and "TEMP B-TREE" not in found


def test_the_queue_of_one_page_reads_that_page_only(app: Flask) -> None:
    found = plan(lambda: moderation.places(Filter([ID], "pending", page_id=ID), sort="oldest", after=AFTER, limit=50))
    assert "ix_comments_on_page (site_id=? AND page_id=? AND status=?" in found and "TEMP B-TREE" not in found


def test_decisions_are_counted_from_where_they_begin(app: Flask) -> None:
    """Grouping sorts what it found; what it looks at is found by indexes, whatever else there is."""
    for ask in (numbers.by_hour_and_actor, numbers.by_reason, numbers.overturned):
        found = plan(lambda ask=ask: ask([ID], now()))
        assert "ix_audit_entries_chain_" in found
        assert "SCAN audit_entries" not in found and "SCAN hold_reasons" not in found
