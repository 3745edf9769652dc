"""Taking an import back: what it brought goes, what others wrote stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service.audit.models import AuditEntry
from service.audit.operations import verify
from service.comments import queries as comments
from service.comments.models import Comment, CommentSearch, CommentTally, HoldReason
from service.comments.operations import Change, revise, transition
from service.db import Base, db, transaction
from service.errors import NotFound
from service.sites.models import Page, PageAddress
from service.transfer import undo as undoing
from service.transfer.report import Report
from service.transfer.undo import undo
from service.webhooks.models import Event
from tests.reactions.conftest import react
from tests.support import post, thread

from .balance import imbalance
from .conftest import Bring, pages, stored
from .exports import comment, item
from .test_importer import forest, rows_of

KEPT_TABLES = {"sites", "reject_reasons", "imports", "key_proofs", "audit_entries", "audit_details", "audit_heads"} | {
    "public_changes"
}


def take_back(report: Report) -> dict[str, int]:
    return undo(UUID(report.import_id), "command")


def left() -> dict[str, int]:
    """Rows by table, of those that an import fills."""
    db.session.rollback()
    counts = {mapper.class_.__tablename__: rows_of(mapper.class_) for mapper in Base.registry.mappers}
    return {name: count for name, count in counts.items() if count and name not in KEPT_TABLES}


def reply_to(client: FlaskClient, source_id: str) -> str:
    """A visitor's answer to an imported comment, approved."""
    answer = post(client, page="/a/", parent_id=str(stored()[source_id].id), body=f"To {source_id}.")
    assert answer.status_code == 202 and answer.json, answer.text
    reply_id: str = answer.json["id"]
    with transaction():
        reply = comments.get_for_update(UUID(reply_id))
        assert reply is not None
        transition(reply, "approved", Change("moderator:x", None))
    return reply_id


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_left_of_an_import(bring: Bring, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(undoing, "BATCH", 7)
    report = bring(forest(seed), item(comment(id="99"), post_id="8", link="https://example.org/b/"))
    assert "comments" in left()
    assert take_back(report) == {"removed": 61, "kept": 0, "pages": 2}
    assert left() == {}


def test_a_second_time_there_is_nothing_to_do(bring: Bring) -> None:
    report = bring(item(comment()))
    take_back(report)
    entries = rows_of(AuditEntry)
    assert take_back(report) == {"removed": 0, "kept": 0, "pages": 0}
    assert rows_of(AuditEntry) == entries


def test_it_is_silent_and_audited_once(bring: Bring) -> None:
    report = bring(forest(1))
    before = rows_of(AuditEntry)
    take_back(report)
    assert rows_of(Event) == 0
    assert rows_of(AuditEntry) == before + 1
    last = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "import.undone")).one()
    assert str(last.subject_id) == report.import_id
    assert all(verdict.broken is None for verdict in verify())


def test_what_others_brought_and_wrote_stays(bring: Bring, client: FlaskClient) -> None:
    post(client, page="/a/", body="Mine.")
    bring(item(comment(id="1"), comment(id="2", parent="1")))
    second = bring(item(comment(id="1"), comment(id="3", parent="2"), comment(id="4")))
    assert take_back(second) == {"removed": 2, "kept": 0, "pages": 0}
    assert sorted(stored()) == ["", "1", "2"]
    assert set(pages()) == {"//blog.example.org/a"}
    assert thread(client, page="wp:7")["page"]["comment_count"] == 2
    assert imbalance() == []


def test_what_visitors_answered_keeps_its_place(bring: Bring, client: FlaskClient) -> None:
    report = bring(item(comment(id="1"), comment(id="2", parent="1"), comment(id="3", parent="1"), comment(id="4")))
    reply = reply_to(client, "2")
    assert take_back(report) == {"removed": 2, "kept": 2, "pages": 0}
    assert {one.source_id: one.status for one in stored().values() if one.source_id} == {"1": "deleted", "2": "deleted"}
    found = thread(client, page="/a/")
    [root] = found["comments"]
    assert root["removed"] and root["replies"][0]["removed"]
    assert root["replies"][0]["replies"][0]["id"] == reply
    assert found["page"]["comment_count"] == 1
    assert imbalance() == []


def test_what_kept_its_place_comes_back_with_the_next_import(bring: Bring, client: FlaskClient) -> None:
    items = item(comment(id="1", content="First words"), comment(id="2", parent="1"))
    report = bring(items)
    reply_to(client, "1")
    take_back(report)
    told = bring(items, dry_run=True)
    again = bring(items)
    assert told.imported == again.imported == {"approved": 2}
    [root] = thread(client, page="/a/")["comments"]
    assert "First words" in root["html"]
    assert len(root["replies"]) == 2
    assert imbalance() == []
    assert bring(items).imported == {}
    assert take_back(again)["kept"] == 1


def test_what_moderators_did_meanwhile_goes_too(bring: Bring) -> None:
    report = bring(item(comment(id="1"), comment(id="2", approved="0"), comment(id="3", approved="spam")))
    with transaction():
        for one in stored().values():
            found = comments.get_for_update(one.id)
            assert found is not None
            revise(found, "Edited.", actor="moderator:x")
            transition(found, "rejected", Change("moderator:x", None, reason="No."))
    assert take_back(report)["removed"] == 3
    assert {name for name in left() if name != "events"} == set()


def test_what_readers_did_goes_too(bring: Bring, app: Flask) -> None:
    report = bring(item(comment()))
    one = str(stored()["1"].id)
    assert react(app, "vote", one).status_code == 200
    assert react(app, "report", one, reason="spam").status_code == 202
    assert {"comment_votes", "comment_reports", "comment_tallies"} <= set(left())
    assert take_back(report)["removed"] == 1
    assert {name for name in left() if name != "events"} == set()


def test_a_number_given_to_a_page_that_was_here_is_taken_away(bring: Bring, client: FlaskClient) -> None:
    post(client, page="/a/")
    report = bring(item(comment()))
    take_back(report)
    keys = set(db.session.scalars(select(PageAddress.key)))
    assert keys == {"//blog.example.org/a"}


def test_a_page_on_which_somebody_wrote_meanwhile_stays_whole(bring: Bring, client: FlaskClient) -> None:
    report = bring(item(comment()))
    post(client, page="/a/", body="Held, and no reply.")
    assert take_back(report) == {"removed": 1, "kept": 0, "pages": 0}
    assert len(set(db.session.scalars(select(PageAddress.key)))) == 2
    assert rows_of(Page) == 1


def test_an_undo_that_was_stopped_goes_on(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "BATCH", 20)
    report = bring(forest(3))

    def pull_the_plug(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        undo(UUID(report.import_id), "command", pull_the_plug)
    assert imbalance() == []
    assert take_back(report) == {"removed": 60, "kept": 0, "pages": 1}


def test_an_import_that_was_stopped_can_be_taken_back(bring: Bring) -> None:
    def pull_the_plug(phase: str, done: int, total: int) -> None:
        if phase == "import":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(forest(3), progress=pull_the_plug)
    [import_id] = set(db.session.scalars(select(Comment.import_id)))
    assert import_id is not None
    assert undo(import_id, "command")["removed"] == 60
    assert left() == {}


def test_a_number_of_no_import_is_not_found(app: Any) -> None:
    with pytest.raises(NotFound):
        undo(uuid4(), "command")


def test_what_is_left_would_be_seen(bring: Bring) -> None:
    bring(item(comment(approved="0")))
    with transaction():
        db.session.execute(update(CommentTally).values(replies=1))
    assert set(left()) >= {"comments", "authors", "pages", "page_addresses", "imported_addresses", "comment_search"}
    assert rows_of(HoldReason) == rows_of(CommentSearch) == 1
