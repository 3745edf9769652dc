"""Notes, replies, look-ups and settled changes to the letter: the row, the event, the audit entry, the refusal."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.accounts.principal import Principal, of_moderator
from service.authors import queries as authors
from service.comments import operations as comments
from service.comments.models import Author, Comment, CommentRevision
from service.db import db, new_id, transaction
from service.errors import Conflict, Forbidden, NotFound, Problem, StaleVersion
from service.moderation import operations
from service.moderation.operations import Ruling, Verdict
from service.sites.models import Site
from tests.conftest import add_site

from .still import NOON, clock, decided, entries, events, held, moderator, robin, row, said

__all__ = ["clock", "held", "robin"]

WAITS = "Only a published comment can be answered. Approve it first."


def refused(act: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught, transaction():
        act()
    db.session.rollback()
    return caught.value


def test_a_note_stands_in_the_history_and_changes_nothing(site: Site, robin: Principal, held: UUID) -> None:
    with transaction():
        assert operations.note(held, "Ask the lawyers.", robin).id == held
    assert entries("comment.noted") == [(robin.actor, str(site.id), held, {"note": "Ask the lawyers."})]
    assert (row(held).version, row(held).status) == (1, "pending")


def test_a_reply_of_the_site(site: Site, robin: Principal, held: UUID) -> None:
    decided(held, "approve", robin)
    with transaction():
        made = operations.answer(held, "Thank *you*.", robin, if_match='"v2"').id
    one = row(made)
    assert (one.site_id, one.page_id, one.parent_id) == (site.id, row(held).page_id, held)
    assert (one.name, one.is_moderator, one.status, one.shown) == (site.name, True, "approved", True)
    assert (one.body, one.body_format, one.html) == ("Thank *you*.", "md", "<p>Thank <em>you</em>.</p>\n")
    author = db.session.get_one(Author, one.author_id)
    assert (author.id, author.site_id, author.token_digest, author.created_at) == (site.id, site.id, None, NOON)
    assert len(author.avatar) == 16 and list(one.reasons) == []
    details = {"from": None, "to": "approved", "reason": None, "note": None}
    assert entries("comment.created")[-1] == (robin.actor, str(site.id), made, details)
    assert [event.data["actor"] for event in events("comment.created") if event.subject_id == made] == [robin.actor]


def test_replies_of_a_site_are_by_one_author(site: Site, robin: Principal, held: UUID) -> None:
    decided(held, "approve", robin)
    for text in ("Thank you.", "Thanks."):
        with transaction():
            operations.answer(held, text, robin)
    assert db.session.query(Comment).filter_by(author_id=site.id).count() == 2


@pytest.mark.parametrize(("decision", "said_of"), [(None, "pending"), ("reject", "rejected"), ("spam", "spam")])
def test_what_is_not_published_is_not_answered(
    robin: Principal, held: UUID, decision: str | None, said_of: str
) -> None:
    if decision:
        decided(held, decision, robin)
    problem = refused(lambda: operations.answer(held, "No.", robin))
    assert isinstance(problem, Conflict) and problem.detail.startswith(WAITS)
    assert problem.more["current"]["status"] == said_of
    if decision:
        problem = refused(lambda: operations.answer(held, "No.", robin, Verdict("approve")))
        assert isinstance(problem, Conflict) and problem.detail.startswith(WAITS)
    assert db.session.query(Comment).count() == 1


def test_a_reply_publishes_what_waits_and_what_was_seen(robin: Principal, held: UUID) -> None:
    problem = refused(lambda: operations.answer(held, "Thanks.", robin, Verdict("approve"), '"v2"'))
    assert isinstance(problem, StaleVersion) and row(held).status == "pending"
    with transaction():
        operations.answer(held, "Thanks.", robin, Verdict("approve", note="fine"), '"v1"')
    assert (row(held).status, row(held).decided_by) == ("approved", robin.actor)
    assert entries("comment.approved")[0][3]["note"] == "fine"
    with transaction():  # of what is published already nothing is decided
        operations.answer(held, "Thanks again.", robin, Verdict("approve"))
    assert len(entries("comment.approved")) == 1


def test_looking_somebody_up_is_written_down_without_their_address(
    site: Site, robin: Principal, client: FlaskClient
) -> None:
    mine = said(client, email="ada@mail.example.org")
    said(client, email="bea@mail.example.org")
    with transaction():
        assert operations.person_with(site, " ADA@mail.example.org", robin) == mine
        assert operations.person_with(site, "eve@mail.example.org", robin) is None
    assert entries("person.looked-up") == [(robin.actor, str(site.id), None, {})] * 2
    other = add_site("other", ["https://other.example.org"])
    with transaction():
        assert operations.person_with(other, "ada@mail.example.org", robin) is None


def wished(comment_id: UUID, robin: Principal) -> CommentRevision:
    """What the author of a published comment would rather have said."""
    decided(comment_id, "approve", robin)
    with transaction():
        comments.revise(row(comment_id), "Other words", actor="author:x", hold=True)
    found = authors.held(comment_id)
    assert found is not None
    return found


def settled(comment_id: UUID, ruling: Ruling, who: Principal) -> Comment:
    with transaction():
        assert operations.settle(comment_id, ruling, who, None).id == comment_id
    return row(comment_id)


def test_a_change_is_taken_into_the_text(site: Site, robin: Principal, held: UUID) -> None:
    before = row(held).body
    wish = wished(held, robin).id
    one = settled(held, Ruling("accept", wish, "Better."), robin)
    assert (one.body, one.edited_at, one.status) == ("Other words", NOON, "approved")
    kept = [(each.state, each.body, each.by) for each in db.session.query(CommentRevision)]
    assert kept == [("published", before, robin.actor)]
    told = {"revision": "accepted", "reason": "Better."}
    assert entries("comment.edited") == [(robin.actor, str(site.id), held, told)]
    data = events("comment.edited")[-1].data
    assert told.items() <= data.items() and (data["actor"], data["comment"]["text"]) == (robin.actor, "Other words")


def test_a_change_is_refused(site: Site, robin: Principal, held: UUID) -> None:
    before = row(held).body
    wish = wished(held, robin).id
    one = settled(held, Ruling("refuse", wish, "Spite."), robin)
    assert (one.body, one.edited_at) == (before, None)
    assert db.session.get_one(CommentRevision, wish).state == "refused"
    told = {"revision": "refused", "reason": "Spite."}
    assert entries("comment.revision-refused") == [(robin.actor, str(site.id), held, told)]
    data = events("comment.edited")[-1].data
    assert told.items() <= data.items() and (data["actor"], data["comment"]["text"]) == (robin.actor, before)
    problem = refused(lambda: operations.settle(held, Ruling("refuse", wish), robin, None))
    assert isinstance(problem, Conflict)
    assert problem.detail.startswith("No change of this text waits any more. It was set to approved by Robin")


def test_another_change_than_the_one_that_was_seen_stays(robin: Principal, held: UUID) -> None:
    wish = wished(held, robin).id
    problem = refused(lambda: operations.settle(held, Ruling("accept", new_id()), robin, None))
    told = "The author has changed the text again since you looked."
    assert isinstance(problem, StaleVersion) and problem.detail.startswith(f"{told} It was set to approved by Robin")
    assert db.session.get_one(CommentRevision, wish).state == "held"


def test_what_was_erased_is_not_decided_on(robin: Principal, held: UUID) -> None:
    with transaction():
        row(held).erased_at = NOON
    told = "Its author had this comment erased. There is nothing left to decide."
    for act in (
        lambda: operations.note(held, "x", robin),
        lambda: operations.decide(held, Verdict("approve"), robin, "*"),
        lambda: operations.answer(held, "x", robin),
    ):
        problem = refused(act)
        assert (type(problem), problem.detail) == (Conflict, told)


def test_who_may_not_decide_leaves_nothing_behind(site: Site, held: UUID) -> None:
    viewer = of_moderator(moderator("vera", site, role="viewer"))
    stranger = of_moderator(moderator("eve", add_site("other", [])))
    for who, kind in ((viewer, Forbidden), (stranger, NotFound)):
        for act in (
            lambda who=who: operations.note(held, "x", who),
            lambda who=who: operations.answer(held, "x", who),
            lambda who=who: operations.reveal(held, who),
            lambda who=who: operations.edit(held, "x", who, "*"),
            lambda who=who: operations.settle(held, Ruling("accept", new_id()), who, None),
            lambda who=who: operations.undo_one(new_id(), held, who),
        ):
            assert isinstance(refused(act), kind)  # type: ignore[arg-type]
    assert [entries(action) for action in ("comment.noted", "comment.revealed", "comment.edited")] == [[], [], []]
