"""An author takes a comment back, or has all erased that was theirs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, select

from service.audit.operations import verify
from service.authors import worker
from service.comments.models import Author as Row
from service.comments.models import Comment
from service.db import db
from service.sites.models import Site
from service.webhooks.models import Event
from tests.authors.conftest import Author, revisions
from tests.comments.test_at_once import all_at_once
from tests.comments.test_submitting import set_site
from tests.comments.test_threads import assert_in_step
from tests.moderation.conftest import Desk
from tests.moderation.still import entries
from tests.reactions.conftest import react
from tests.support import post, submission, thread

CANARY = "Zyxwvut"
PERSONAL = {
    "name": f"Ada {CANARY}", "website": f"https://{CANARY.lower()}.example.org", "email": f"{CANARY}@mail.example.org",
    "body": f"What *{CANARY}* said.", "notify": True,
}  # fmt: skip


def told_of(comment_id: str) -> list[Event]:
    db.session.rollback()
    return [one for one in db.session.scalars(select(Event).order_by(Event.id)) if str(one.subject_id) == comment_id]


def test_a_comment_is_taken_back(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    answer = ada.withdraw(held)
    assert (answer.status_code, answer.data) == (204, b"")
    assert ada.one()["status"] == "deleted"
    assert thread(ada.client)["comments"] == []
    row = desk.get(f"/moderation/comments/{held}").json
    assert (row["status"], row["decided_by"], row["text"]) == ("deleted", "the author", "What a *fine* series.")
    event = told_of(held)[-1]
    assert (event.type, event.data["previous_status"]) == ("comment.deleted", "approved")
    assert event.data["actor"].startswith("author:")
    assert_in_step()


def test_taking_back_twice_is_once(ada: Author, held: str) -> None:
    assert [ada.withdraw(held).status_code for _ in range(2)] == [204, 204]
    assert len(entries("comment.deleted")) == 1


def test_a_change_that_waits_goes_with_its_comment(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    ada.edit(held, body="Second.")
    ada.withdraw(held)
    assert revisions() == []


def test_a_comment_with_answers_leaves_its_place(ada: Author, desk: Desk, held: str, site: Site) -> None:
    desk.decide(held, "approve")
    set_site(site, mode="post")
    post(ada.client, body="An answer.", parent_id=held, email="bea@mail.example.org")
    ada.withdraw(held)
    (node,) = thread(ada.client)["comments"]
    assert (node["id"], node["removed"], len(node["replies"])) == (held, True, 1)


@pytest.mark.parametrize(
    "query", [{}, {"everything": "false"}, {"everything": "true", "comment": "{}"}, {"comment": "x"}]
)
def test_what_is_to_go_has_to_be_said(ada: Author, held: str, query: dict[str, str]) -> None:
    answer = ada.call("DELETE", query_string={name: value.format(held) for name, value in query.items()})
    assert answer.status_code == 422
    assert ada.one()["status"] == "pending"


@pytest.fixture
def full(app: Flask, client: FlaskClient, site: Site, desk: Desk) -> Author:
    """An author of one published comment with an answer, a change that waits, a report and a note; and two others."""
    answer = post(client, **PERSONAL).json
    author = Author(app, answer["author_token"])
    desk.decide(answer["id"], "approve", reason=f"So {CANARY} says.", note=f"Knows {CANARY}.")
    set_site(site, mode="post", rating_max=10.0)
    post(client, body="An answer.", parent_id=answer["id"], email="bea@mail.example.org")
    react(app, "report", answer["id"], reason="other", note=f"This is {CANARY}.")
    author.edit(answer["id"], body=f"And *{CANARY}* again.")
    author.say(**PERSONAL | {"body": f"{CANARY} rates.", "rating": 8, "page": "/rated"})
    author.edit(author.say(**PERSONAL | {"body": "Taken back.", "page": "/back"}), body=f"{CANARY} back")
    author.withdraw(author.mine()[0]["id"])
    return author


def holding(word: str) -> list[str]:
    """Every table that holds a word, in any of its columns, whatever the case."""
    db.session.rollback()
    found, tables = [], MetaData()
    tables.reflect(db.engine)
    for table in tables.sorted_tables:
        rows = [str(tuple(row)) for row in db.session.execute(select(table))]
        found += [table.name] if any(word.casefold() in row.casefold() for row in rows) else []
    db.session.rollback()
    return found


def test_nothing_of_the_author_is_left(full: Author) -> None:
    assert {"comments", "comment_revisions", "comment_search", "comment_reports", "events", "audit_details"} <= set(
        holding(CANARY)
    )
    assert full.erase().status_code == 204
    worker.sweep()
    assert holding(CANARY) == []
    assert worker.sweep() is False


def test_only_places_are_left(full: Author) -> None:
    ids = {one["id"] for one in full.mine()}
    full.erase()
    db.session.rollback()
    rows = [one for one in db.session.scalars(select(Comment)) if str(one.id) in ids]
    assert len(rows) == 3
    for row in rows:
        assert (row.status, row.name, row.body, row.html, row.website) == ("deleted", "", "", "", None)
        assert row.erased_at is not None
        emptied = (row.email_sealed, row.email_index, row.network_label, row.notify_consent_at, row.rating, row.reason)
        assert (emptied, row.notify, row.reasons) == ((None,) * 6, False, [])
    author = db.session.get_one(Row, rows[0].author_id)
    assert (author.token_digest, author.avatar) == (None, "0" * 16)
    assert_in_step()


def test_the_token_is_dead_afterwards(full: Author, client: FlaskClient) -> None:
    full.erase()
    assert full.call("GET").status_code == 401
    assert full.erase().status_code == 401
    answer = post(client, headers={"Authorization": f"Author {full.token}"}, body="Back again.")
    assert answer.json["author_token"] not in (None, full.token)


def test_it_is_told_and_the_audit_stays_whole(full: Author, site: Site) -> None:
    ids = [one["id"] for one in full.mine()]
    before = len(entries("comment.created"))
    full.erase()
    for one in ids:
        types = [event.type for event in told_of(one)]
        assert types[-2:] in (["comment.deleted", "comment.erased"], ["comment.edited", "comment.erased"])
        data = told_of(one)[-1].data
        assert (data["comment"]["status"], data["comment"]["text"]) == ("deleted", "")
        assert data["comment"]["author"]["name"] == ""
    assert [one.broken for one in verify()] == [None, None]
    assert len(entries("comment.erased")) == 3
    assert len(entries("comment.created")) == before - 3  # their words are gone, the rows are not


def test_nobody_decides_on_what_was_erased(full: Author, desk: Desk) -> None:
    erased = full.mine()[0]["id"]
    full.erase()
    edit: dict[str, Any] = {"json": {"body": "Ours."}, "headers": {"If-Match": "*"}}
    answers = [desk.decide(erased, "approve", "*"), desk.call("PATCH", f"/moderation/comments/{erased}", **edit)]
    told = "Its author had this comment erased. There is nothing left to decide."
    assert [(one.status_code, one.json["detail"]) for one in answers] == [(409, told)] * 2
    assert desk.get(f"/moderation/comments/{erased}").json["erased_at"]


def test_others_keep_what_they_wrote(full: Author) -> None:
    full.erase()
    (node,) = thread(full.client)["comments"]
    assert node["removed"]
    assert node["replies"][0]["html"] == "<p>An answer.</p>\n"


def test_a_comment_under_the_token_at_once_is_erased_or_somebody_elses(app: Flask, ada: Author) -> None:
    """None stays under a dead token."""

    def say(n: int) -> int:
        headers = {"Authorization": f"Author {ada.token}"}
        document = submission(body=f"At once {n}", page=f"/{n}")
        return app.test_client().post("/v1/sites/blog/comments", json=document, headers=headers).status_code

    acts = [partial(say, n) for n in range(5)] + [lambda: Author(app, ada.token).erase().status_code]
    codes = all_at_once(acts)
    assert codes == [202] * 5 + [204]
    db.session.rollback()
    for row in db.session.scalars(select(Comment)):
        author = db.session.get_one(Row, row.author_id)
        assert (row.erased_at is None) is (author.token_digest is not None)


def test_erasing_twice_at_once_is_once(app: Flask, ada: Author) -> None:
    codes = all_at_once([lambda: Author(app, ada.token).erase().status_code] * 3)
    assert sorted(codes) == [204, 401, 401]
    assert len(entries("comment.erased")) == 1
