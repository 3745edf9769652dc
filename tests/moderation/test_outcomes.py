"""Decisions to the letter: the row, the counts, the event, the audit entry, and what is said to whoever came late."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts.principal import Principal, of_moderator
from service.comments import operations as comments
from service.comments.models import CommentRevision, CommentTally
from service.comments.status import MOVES, IllegalTransition, check
from service.db import db, transaction
from service.errors import Conflict, Forbidden, NotFound, StaleVersion, VersionNeeded
from service.moderation import operations, queries
from service.moderation.queries import Filter
from service.sites import operations as sites
from service.sites.models import Page, RatingCount, Site
from tests.conftest import add_site

from .still import NOON, clock, decided, entries, events, held, moderator, problem, robin, row, said

__all__ = ["clock", "held", "robin"]

# What a row holds is the same on every database, and test_deciding asks both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")

SAID = "It was set to approved by Robin on 1 March 2026, 12:00 UTC."


STATES = {"approve": "approved", "reject": "rejected", "spam": "spam", "delete": "deleted", "restore": "pending"}
TOLD = {"approve": "approved", "reject": "rejected", "spam": "spam", "delete": "deleted", "restore": "restored"}


@pytest.mark.parametrize("second", STATES)
@pytest.mark.parametrize("first", ["approve", "reject", "spam", "delete"])
def test_a_decision_leaves_everything_in_step(
    site: Site, robin: Principal, held: UUID, first: str, second: str
) -> None:
    one = decided(held, first, robin)
    assert (one.status, one.version) == (STATES[first], 2)
    if first == second:
        refused = problem(held, second, robin, '"v2"')
        assert refused.detail.startswith(f"A comment that is {STATES[first]} cannot become {STATES[first]}.")
        return
    one = decided(held, second, robin, '"v2"', reason="because", note="between us", hold_back=30.0)
    assert (one.status, one.version, one.shown) == (STATES[second], 3, second == "approve")
    assert (one.decided_at, one.decided_by, one.decided_name) == (NOON, robin.actor, "Robin")
    assert one.reason == "because"
    assert db.session.query(Page).one().comment_count == int(second == "approve")
    (event,) = (one for one in events(f"comment.{TOLD[second]}") if one.data["previous_status"] == STATES[first])
    assert (event.site_id, event.subject_id, event.not_before) == (site.id, held, NOON + timedelta(seconds=30))
    assert (event.data["actor"], event.data["reason"]) == (robin.actor, "because")
    assert event.data["comment"]["status"] == STATES[second]
    details = {"from": STATES[first], "to": STATES[second], "reason": "because", "note": "between us"}
    assert entries(f"comment.{TOLD[second]}")[-1] == (robin.actor, str(site.id), held, details)


def test_the_table_of_moves() -> None:
    states = {"pending", "approved", "rejected", "spam", "deleted"}
    table: dict[str | None, set[str]] = {None: states}
    table |= {one: states - {one} for one in states}
    assert {before: set(after) for before, after in MOVES.items()} == table
    for before in (None, *states, "unknown"):
        for after in (*states, "unknown"):
            if after in states and before != after and before != "unknown":
                check(before, after)
                continue
            with pytest.raises(IllegalTransition) as refused:
                check(before, after)
            assert str(refused.value) == f"A comment that is {before} cannot become {after}."
            assert (refused.value.before, refused.value.after) == (before, after)


def test_a_new_comment_is_told_and_audited_without_a_decision(site: Site, held: UUID) -> None:
    one = row(held)
    assert (one.decided_at, one.decided_by, one.decided_name, one.reason) == (None, None, None, None)
    (event,) = events("comment.created")
    author = f"author:{one.author_id}"
    assert event.data["actor"] == author
    assert not {"previous_status", "reason"} & set(event.data)
    details = {"from": None, "to": "pending", "reason": None, "note": None}
    assert entries("comment.created") == [(author, str(site.id), held, details)]


def test_who_comes_late_is_told_who_was_there(robin: Principal, held: UUID) -> None:
    decided(held, "approve", robin)
    current = {"status": "approved", "version": 2, "by": "Robin", "at": "2026-03-01T12:00:00.000Z"}
    for refused, kind, detail in (
        (problem(held, "spam", robin), VersionNeeded, VersionNeeded.detail),
        (problem(held, "spam", robin, '"v1"'), StaleVersion, StaleVersion.detail),
        (problem(held, "approve", robin, "*"), Conflict, "A comment that is approved cannot become approved."),
    ):
        assert (type(refused), refused.detail) == (kind, f"{detail} {SAID}")
        assert refused.more == {"current": current}
        assert refused.headers == {"ETag": '"v2"'}


def test_before_any_decision_nobody_is_named(robin: Principal, held: UUID) -> None:
    refused = problem(held, "approve", robin, '"v9"')
    assert (type(refused), refused.detail) == (StaleVersion, StaleVersion.detail)
    assert refused.more == {"current": {"status": "pending", "version": 1, "by": None, "at": None}}


def test_an_author_who_withdrew_is_named_so(app: Flask, robin: Principal, held: UUID) -> None:
    with transaction():
        comments.transition(row(held), "deleted", comments.Change("author:x", "comment.deleted"))
    told = "It was set to deleted by the author on 1 March 2026, 12:00 UTC."
    assert problem(held, "approve", robin).detail == f"{VersionNeeded.detail} {told}"


@pytest.mark.parametrize("if_match", [None, "", "*", '"v1"', ' "v1" ', '"v7","v1"', '"v7", *'])
def test_a_first_decision_may_say_what_it_saw(robin: Principal, held: UUID, if_match: str | None) -> None:
    assert decided(held, "approve", robin, if_match).status == "approved"


@pytest.mark.parametrize("if_match", ['"v2"', "v1", '"v1" "v2"', '"v2", "v3"'])
def test_what_it_says_must_be_so(robin: Principal, held: UUID, if_match: str) -> None:
    assert isinstance(problem(held, "approve", robin, if_match), StaleVersion)


def test_silence_leaves_no_trace(site: Site, robin: Principal, held: UUID) -> None:
    with transaction():
        comments.transition(row(held), "approved", comments.Change("test", None))
    assert events("comment.approved") == []
    assert entries("comment.approved") == []
    assert db.session.query(Page).one().comment_count == 1


def test_strangers_and_viewers(client: FlaskClient, site: Site, held: UUID) -> None:
    other = add_site("other", ["https://other.example.org"])
    stranger = of_moderator(moderator("eve", other, role="owner"))
    viewer = of_moderator(moderator("vera", site, role="viewer"))
    for who, comment_id in ((stranger, held), (viewer, uuid4())):
        refused = problem(comment_id, "approve", who)
        told = "There is no comment by that id, or you have no role on its site."
        assert (type(refused), refused.detail) == (NotFound, told)
    assert isinstance(problem(held, "approve", viewer), Forbidden)
    assert operations.find(held, viewer, "read").id == held


def test_an_edit_keeps_and_tells(site: Site, robin: Principal, held: UUID) -> None:
    before = row(held)
    old, audited = before.body, len(entries("comment.edited"))
    with pytest.raises(VersionNeeded), transaction():
        operations.edit(held, "New *words*", robin, None)
    with transaction():
        operations.edit(held, "New *words*", robin, '"v1"')
    one = row(held)
    assert (one.body, one.html, one.version) == ("New *words*", "<p>New <em>words</em></p>\n", 2)
    assert (one.edited_at, one.status) == (NOON, "pending")
    (kept,) = db.session.query(CommentRevision)
    assert (kept.comment_id, kept.state, kept.body, kept.body_format) == (held, "published", old, "md")
    assert (kept.by, kept.created_at) == (robin.actor, NOON)
    assert entries("comment.edited")[audited:] == [(robin.actor, str(site.id), held, {})]
    (event,) = events("comment.edited")
    assert (event.site_id, event.subject_id, event.data["actor"]) == (site.id, held, robin.actor)
    wanted = Filter(site_ids=[site.id], status="pending", page_id=None, q="new", reason=None)
    assert queries.newest(wanted) == (1, held, NOON)  # found by its new words


def test_a_held_edit_waits_beside_what_is_published(site: Site, robin: Principal, held: UUID) -> None:
    decided(held, "approve", robin)
    old = row(held).body
    with transaction():
        comments.revise(row(held), "Other words", actor="author:x", hold=True)
    assert row(held).body == old
    (kept,) = db.session.query(CommentRevision)
    assert (kept.state, kept.body, kept.body_format, kept.by) == ("held", "Other words", "md", "author:x")
    assert entries("comment.revision-held") == [("author:x", str(site.id), held, {"revision": "held"})]
    (event,) = events("comment.edited")
    assert (event.data["revision"], event.data["comment"]["text"]) == ("held", old)


def test_a_pending_comment_is_edited_at_once_whoever_asks(robin: Principal, held: UUID) -> None:
    with transaction():
        comments.revise(row(held), "Other words", actor="author:x", hold=True)
    assert row(held).body == "Other words"


def test_an_address_is_revealed_once_it_is_audited(site: Site, robin: Principal, client: FlaskClient) -> None:
    held = said(client, email="ada@mail.example.org")
    with transaction():
        assert operations.reveal(held, robin) == "ada@mail.example.org"
    assert entries("comment.revealed") == [(robin.actor, str(site.id), held, {})]
    assert operations.masked_email(row(held)) == "a…@mail.example.org"
    with transaction():
        row(held).email_sealed = None
    with transaction():
        assert operations.reveal(held, robin) is None
    assert operations.masked_email(row(held)) is None
    viewer = of_moderator(moderator("vera", site, role="viewer"))
    with pytest.raises(Forbidden):
        operations.reveal(held, viewer)


def test_replies_and_what_is_shown_follow_the_states(site: Site, client: FlaskClient, robin: Principal) -> None:
    top = said(client)
    decided(top, "approve", robin)
    reply = said(client, parent_id=str(top))
    decided(reply, "approve", robin)
    leaf = said(client, parent_id=str(reply))
    assert tally(top) == (1, 1) and tally(reply) == (0, 0)
    decided(leaf, "approve", robin)
    assert tally(reply) == (1, 1)
    decided(reply, "delete", robin, "*")
    assert (row(reply).shown, tally(top), tally(reply)) == (True, (0, 1), (1, 1))
    decided(leaf, "delete", robin, "*")
    assert (row(reply).shown, row(leaf).shown, tally(top), tally(reply)) == (False, False, (0, 0), (0, 0))
    decided(top, "delete", robin, "*")
    decided(leaf, "approve", robin, "*")
    assert [row(one).shown for one in (top, reply, leaf)] == [True, True, True]
    assert (tally(top), tally(reply)) == ((0, 1), (1, 1))
    assert db.session.query(Page).one().comment_count == 1


def test_ratings_count_while_they_are_approved(client: FlaskClient, robin: Principal) -> None:
    with transaction():
        sites.change_site(db.session.query(Site).one(), {"rating_max": 5.0}, actor="test")
    held = said(client, rating=4)
    counts = db.session.query(RatingCount.scale, RatingCount.value, RatingCount.count)
    assert counts.all() == [(5.0, 4.0, 0)]
    for decision, number in (("approve", 1), ("spam", 0), ("approve", 1), ("restore", 0), ("reject", 0)):
        decided(held, decision, robin, "*")
        assert counts.all() == [(5.0, 4.0, number)]


def tally(comment_id: UUID) -> tuple[int, int]:
    db.session.expire_all()
    kept = db.session.get(CommentTally, comment_id)
    return (kept.replies, kept.shown_replies) if kept else (0, 0)
