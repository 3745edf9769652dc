"""What a moderator pins stands first below its page, once, as long as it is published."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.comments.test_threads import say, shape
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import entries, row
from tests.support import PAGE, thread


@pytest.fixture
def said(client: FlaskClient, site: Site) -> list[str]:
    """Five published comments, oldest first."""
    set_site(site, mode="post")
    return [say(client, f"Number {n}.") for n in range(5)]


def pin(desk: Desk, comment_id: str, method: str = "POST") -> TestResponse:
    return desk.call(method, f"/moderation/comments/{comment_id}/pin")


def order(client: FlaskClient, **query: str | int) -> list[str]:
    return [one["id"] for one in thread(client, **query)["comments"]]


def every(client: FlaskClient, limit: int, sort: str) -> list[str]:
    """A whole thread, read page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page = thread(client, limit=limit, sort=sort, **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["comments"]]
        cursor = page["next"]
        if not cursor:
            return found


@pytest.mark.parametrize("sort", ["oldest", "newest", "top"])
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_what_is_pinned_comes_first_and_once(
    client: FlaskClient, desk: Desk, said: list[str], sort: str, limit: int
) -> None:
    before = every(client, limit, sort)
    for one in (said[3], said[1]):
        assert pin(desk, one).json["pinned"] is True
    pinned = [one for one in before if one in (said[1], said[3])]
    assert every(client, limit, sort) == pinned + [one for one in before if one not in pinned]


def test_everybody_is_told_what_is_pinned(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    reply = say(client, "An answer.", said[3])
    pin(desk, said[3])
    first, *others = thread(client)["comments"]
    assert (first["id"], first["pinned"], first["replies"][0]["pinned"]) == (said[3], True, False)
    assert {one["pinned"] for one in others} == {False}
    assert client.get(f"/v1/sites/blog/comments/{said[3]}").json["comment"]["pinned"] is True
    latest = {one["id"]: one["pinned"] for one in client.get("/v1/sites/blog/latest").json["comments"]}
    assert latest == {one: one == said[3] for one in (*said, reply)}
    page = client.get(f"/embed/blog?page={PAGE}").text
    assert page.count(">Pinned</span>") == 1
    assert page.index(f"comment-{said[3]}") < page.index(f"comment-{said[0]}")


def test_pinning_is_a_new_etag_and_no_new_version(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    path = f"/v1/sites/blog/thread?page={PAGE}"
    seen = client.get(path).headers["ETag"]
    pin(desk, said[2])
    again = client.get(path, headers={"If-None-Match": seen})
    assert (again.status_code, again.headers["ETag"] != seen) == (200, True)
    assert row(UUID(said[2])).version == 1
    pin(desk, said[2], "DELETE")
    assert client.get(path, headers={"If-None-Match": seen}).status_code == 304


def test_at_most_three_of_a_page_are_pinned(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    assert [pin(desk, one).status_code for one in said[:4]] == [200, 200, 200, 409]
    assert pin(desk, said[0]).status_code == 200, "what is so already stays so"
    other = say(client, "Elsewhere.", page="/reviews/other")
    assert pin(desk, other).status_code == 200
    assert pin(desk, said[0], "DELETE").status_code == 204
    assert pin(desk, said[3]).status_code == 200


def test_what_is_not_published_or_answers_another_is_not_pinned(
    client: FlaskClient, desk: Desk, said: list[str]
) -> None:
    reply = say(client, "An answer.", said[0])
    desk.decide(said[1], "reject", "*")
    for one in (reply, said[1]):
        assert pin(desk, one).status_code == 409
    assert entries("comment.pinned") == []


@pytest.mark.parametrize("decision", ["reject", "spam", "delete", "restore"])
def test_what_is_published_no_more_is_pinned_no_more(
    client: FlaskClient, desk: Desk, said: list[str], decision: str
) -> None:
    pin(desk, said[4])
    etag = desk.decide(said[4], decision, "*").headers["ETag"]
    assert order(client) == said[:4]
    assert desk.decide(said[4], "approve", etag).json["pinned"] is False
    assert order(client) == said


def test_a_removed_comment_with_replies_keeps_its_old_place(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    say(client, "An answer.", said[4])
    pin(desk, said[4])
    desk.decide(said[4], "delete", "*")
    assert shape(thread(client)["comments"])[-1] == [None, ["An answer."]]


def test_both_are_audited_once(desk: Desk, said: list[str]) -> None:
    for method in ("POST", "POST", "DELETE", "DELETE"):
        pin(desk, said[0], method)
    db.session.rollback()
    for action in ("comment.pinned", "comment.unpinned"):
        assert [str(one[2]) for one in entries(action)] == [said[0]]


def test_who_may_not_moderate_may_not_pin(app: Flask, site: Site, said: list[str]) -> None:
    other = add_site("other", ["https://other.example.org"])
    for name, on, role, status in (("vera", site.id, "viewer", 403), ("eve", other.id, "owner", 404)):
        someone = Desk(app, token_of(name, on, role))
        assert [pin(someone, said[0], method).status_code for method in ("POST", "DELETE")] == [status] * 2


def undone(desk: Desk, comment_id: str) -> Comment:
    """A comment that was marked as spam and brought back."""
    seen = desk.get(f"/moderation/comments/{comment_id}").json["version"]
    decision = desk.decide(comment_id, "spam", f'"v{seen}"').json["decision_id"]
    assert row(UUID(comment_id)).pinned_at is None
    assert desk.call("POST", f"/moderation/decisions/{decision}/undo").status_code == 200
    return row(UUID(comment_id))


def test_undo_brings_back_a_pin(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    pin(desk, said[3])
    since = row(UUID(said[3])).pinned_at

    assert undone(desk, said[3]).pinned_at == since
    assert order(client)[0] == said[3]
    assert undone(desk, said[4]).pinned_at is None


def test_undo_pins_no_more_than_a_page_may_have(client: FlaskClient, desk: Desk, said: list[str]) -> None:
    pin(desk, said[3])
    decision = desk.decide(said[3], "spam", '"v1"').json["decision_id"]
    for one in said[:3]:
        assert pin(desk, one).status_code == 200

    assert desk.call("POST", f"/moderation/decisions/{decision}/undo").status_code == 200

    assert (row(UUID(said[3])).status, row(UUID(said[3])).pinned_at) == ("approved", None)
