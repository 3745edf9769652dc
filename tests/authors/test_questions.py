"""What is asked about people, answered exactly: by address where there is one, else by token, on one site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.authors import queries
from service.comments import operations
from service.comments.models import Comment, CommentRevision
from service.comments.operations import Change
from service.db import db, now, transaction
from service.privacy.seal import email_index
from service.sites.models import Site
from tests.conftest import add_site
from tests.support import post

Say = Callable[..., UUID]


@pytest.fixture
def say(client: FlaskClient, site: Site) -> Say:
    """`say(days=3, …)` leaves a comment, that many days ago; its id."""
    count = iter(range(100))

    def leave(days: int = 0, **values: str) -> UUID:
        told = post(client, body=f"Comment {next(count)}", **values).json
        with transaction():
            row = comment(UUID(told["id"]))
            row.created_at = now() - timedelta(days=days)
        return UUID(told["id"])

    return leave


def comment(comment_id: UUID) -> Comment:
    return db.session.get_one(Comment, comment_id)


def decide(comment_id: UUID, status: str) -> None:
    with transaction():
        operations.transition(comment(comment_id), status, Change("test", None))


def test_the_first_with_an_address_is_the_oldest(site: Site, say: Say) -> None:
    say(1)
    oldest = say(3)
    say(2)
    say(9, email="eve@mail.example.org")
    assert queries.with_address(site.id, email_index(site.id, "ada@mail.example.org")) == oldest
    assert queries.with_address(site.id, email_index(site.id, "bob@mail.example.org")) is None


def test_the_newest_words_come_first_and_no_more_than_asked(site: Site, say: Say) -> None:
    ids = [say(days) for days in (3, 1, 2)]
    found = queries.last_said(site.id, 2)
    assert [one.id for one in found] == [ids[1], ids[2]] and len(found) == 2


def test_names_are_those_of_the_comments_asked_for(say: Say) -> None:
    ada, eve = say(name="Ada"), say(name="Eve")
    with transaction():
        comment(eve).erased_at = now()
    assert queries.names_by_id([ada, eve]) == {ada: "Ada"}
    assert queries.names_by_id([]) == {}


def test_a_record_counts_a_person_on_a_site(client: FlaskClient, site: Site, say: Say) -> None:
    add_site("other", ["https://other.example.org"])
    ids = [say(days) for days in (1, 4, 2, 3)]
    other = say(9, email="eve@mail.example.org")
    post(client, site="other")
    for one, status in zip(ids, ("approved", "rejected", "spam"), strict=False):
        decide(one, status)
    rows = [comment(one) for one in (*ids, other)]
    found = queries.records_of(rows)
    first = min(one.created_at for one in rows[:4])
    assert found[ids[0]] == {"comments": 4, "approved": 1, "rejected": 2, "first_seen": first}
    assert all(found[one] == found[ids[0]] for one in ids)
    assert found[other] == {"comments": 1, "approved": 0, "rejected": 0, "first_seen": rows[4].created_at}
    assert queries.records_of([]) == {}


def test_without_an_address_a_record_is_the_tokens(say: Say) -> None:
    ids = [say(), say()]
    with transaction():
        for one in ids:
            comment(one).email_index = None
    found = queries.records_of([comment(one) for one in ids])
    assert [found[one]["comments"] for one in ids] == [1, 1]


def test_what_was_never_published_is_told_for_those_asked(say: Say) -> None:
    ids = [say(), say()]
    with transaction():
        for one in ids:
            for state, minutes in (("published", 0), ("refused", 1), ("held", 2)):
                row = {"comment_id": one, "state": state, "body": state, "body_format": "md", "by": "test"}
                db.session.add(CommentRevision(**row, created_at=now() + timedelta(minutes=minutes)))
    found = queries.unpublished(ids[:1])
    assert {key: one.body for key, one in found.items()} == {ids[0]: "held"}


def test_what_stands_beside_a_comment_goes_with_it_alone(say: Say) -> None:
    ids = [say(), say()]
    with transaction():
        for one in ids:
            operations.revise(comment(one), "Another text.", actor="test")
        queries.erase_beside(ids[:1])
    assert db.session.scalars(select(CommentRevision.comment_id)).all() == ids[1:]
