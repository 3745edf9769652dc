"""Threads: nesting, removed ancestors, counters in step, paging."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.comments import queries, threads
from service.comments.models import Comment
from service.comments.operations import Change, transition
from service.db import db, transaction
from service.sites import operations as sites
from service.sites.models import Page, RatingCount, Site
from tests.conftest import add_site
from tests.support import PAGE, post, thread


@pytest.fixture
def open_site(site: Site) -> Site:
    with transaction():
        sites.change_site(db.session.merge(site), {"mode": "post", "rating_max": 10.0}, actor="test")
    return site


def say(client: FlaskClient, body: str, parent: str | None = None, **more: Any) -> str:
    answer = post(client, body=body, parent_id=parent, email=f"{uuid4().hex}@mail.example.org", **more)
    assert answer.status_code == 201, answer.text
    found: str = answer.json["id"]
    return found


def move(comment_id: str, to: str) -> None:
    with transaction():
        comment = queries.get_for_update(UUID(comment_id))
        assert comment is not None
        transition(comment, to, Change("test", "comment.rejected"))


def shape(nodes: list[dict[str, Any]]) -> list[Any]:
    """A tree as nested lists of words; a removed one is None."""
    return [
        [
            None if node.get("removed") else node["html"].removeprefix("<p>").removesuffix("</p>\n"),
            *shape(node["replies"]),
        ]
        for node in nodes
    ]


def assert_in_step() -> None:
    """Every counter equals what the rows say."""
    db.session.rollback()
    approved = Comment.status == "approved"
    for page in db.session.scalars(select(Page)):
        count = select(func.count()).select_from(Comment).where(Comment.page_id == page.id, approved)
        assert page.comment_count == db.session.scalar(count)
        bars = select(Comment.rating, func.count()).where(
            Comment.page_id == page.id, approved, Comment.rating.is_not(None)
        )
        told = select(RatingCount.value, RatingCount.count).where(RatingCount.page_id == page.id, RatingCount.count > 0)
        counted = db.session.execute(bars.group_by(Comment.rating)).all()
        assert sorted(tuple(row) for row in counted) == sorted(tuple(row) for row in db.session.execute(told))
    rows = {row.id: row for row in db.session.scalars(select(Comment))}
    for row in rows.values():
        kids = [kid for kid in rows.values() if kid.parent_id == row.id]
        assert row.shown == (row.status == "approved" or any(kid.shown for kid in kids))
        tally = queries.tally(row.id)
        assert tally.shown_replies == sum(kid.shown for kid in kids)
        assert tally.replies == sum(kid.status == "approved" for kid in kids)
    db.session.rollback()


def test_replies_stand_under_what_they_answer(client: FlaskClient, open_site: Site) -> None:
    one = say(client, "one")
    two = say(client, "two")
    say(client, "one-a", one)
    say(client, "two-a", two)
    assert shape(thread(client)["comments"]) == [["one", ["one-a"]], ["two", ["two-a"]]]


def test_beyond_the_sites_depth_replies_stand_flat_and_keep_their_parent(client: FlaskClient, open_site: Site) -> None:
    last = say(client, "1")
    for n in range(2, 8):
        last = say(client, str(n), last)
    tree = thread(client)["comments"]
    assert shape(tree) == [["1", ["2", ["3", ["4"], ["5"], ["6"], ["7"]]]]]
    flat = tree[0]["replies"][0]["replies"][0]["replies"]
    assert [node["parent_id"] for node in flat[1:]] == [node["id"] for node in flat[:-1]]


def test_a_removed_ancestor_keeps_its_place_and_nothing_else(client: FlaskClient, open_site: Site) -> None:
    one = say(client, "one", name="Mallory")
    two = say(client, "two", one)
    say(client, "three", two)
    move(one, "rejected")
    move(two, "deleted")
    found = thread(client)
    assert shape(found["comments"]) == [[None, [None, ["three"]]]]
    assert set(found["comments"][0]) == {"id", "parent_id", "removed", "replies", "replies_next"}
    assert found["page"]["comment_count"] == 1
    assert_in_step()


def test_a_removed_branch_goes_with_its_last_reply(client: FlaskClient, open_site: Site) -> None:
    one = say(client, "one")
    two = say(client, "two", one)
    three = say(client, "three", two)
    for comment in (one, two, three):
        move(comment, "rejected")
    assert thread(client)["comments"] == []
    move(three, "approved")
    assert shape(thread(client)["comments"]) == [[None, [None, ["three"]]]]
    assert_in_step()


def test_counters_stay_in_step_through_every_move(client: FlaskClient, open_site: Site) -> None:
    one = say(client, "one", rating=8)
    two = say(client, "two", one)
    say(client, "three", two, rating=3)
    for to in ("rejected", "spam", "deleted", "pending", "approved", "pending", "spam", "approved"):
        move(one, to)
        assert_in_step()
        move(two, to)
        assert_in_step()


def test_the_average_counts_approved_ratings_only(client: FlaskClient, open_site: Site) -> None:
    say(client, "good", rating=9)
    bad = say(client, "bad", rating=2)
    assert thread(client)["page"]["rating"]["average"] == 5.5
    move(bad, "spam")
    rating = thread(client)["page"]["rating"]
    assert rating == {"average": 9.0, "count": 1, "best": 10.0, "worst": 1.0, "histogram": [{"value": 9.0, "count": 1}]}


@pytest.mark.parametrize("sort", ["oldest", "newest", "top"])
def test_pages_of_a_thread_hold_every_root_once(client: FlaskClient, open_site: Site, sort: str) -> None:
    said = [say(client, f"n{n}") for n in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        found = thread(client, sort=sort, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [node["id"] for node in found["comments"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert seen == (said[::-1] if sort == "newest" else said)


def test_a_cursor_of_another_list_is_refused(client: FlaskClient, open_site: Site) -> None:
    for n in range(3):
        say(client, f"n{n}")
    cursor = thread(client, limit=1)["next"]
    for query in ({"page": "/other"}, {"page": PAGE, "sort": "newest"}, {"page": PAGE, "cursor": "x"}):
        answer = client.get("/v1/sites/blog/thread", query_string={"cursor": cursor} | query)
        assert answer.status_code == 422
        assert "cursor" in answer.json["errors"]


def test_more_replies_are_fetched_from_the_comment(
    client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = say(client, "root")
    monkeypatch.setattr(threads, "REPLIES_EACH", 3)
    said = [say(client, f"r{n}", root) for n in range(5)]
    node = thread(client)["comments"][0]
    assert [kid["id"] for kid in node["replies"]] == said[:3]
    more = client.get(f"/v1/sites/blog/comments/{root}", query_string={"cursor": node["replies_next"]}).json
    assert [kid["id"] for kid in more["comment"]["replies"]] == said[3:]
    assert more["next"] is None
    assert more["page"] == {key: thread(client)["page"][key] for key in ("id", "url", "title")}


def test_an_answer_holds_only_so_many_comments(
    client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert threads.MOST_NODES == 200
    monkeypatch.setattr(threads, "MOST_NODES", 14)
    for n in range(5):
        root = say(client, f"root {n}")
        for m in range(4):
            say(client, f"reply {n}.{m}", root)
    nodes = thread(client)["comments"]
    assert sum(1 + len(node["replies"]) for node in nodes) == 14
    for node in nodes:
        assert (node["replies_next"] is not None) == (len(node["replies"]) < 4)
    starved = next(node for node in nodes if not node["replies"])
    whole = client.get(
        f"/v1/sites/blog/comments/{starved['id']}", query_string={"cursor": starved["replies_next"]}
    ).json
    assert len(whole["comment"]["replies"]) == 4


@pytest.mark.parametrize("status", ["pending", "rejected", "spam", "deleted"])
def test_what_is_not_published_is_nowhere(client: FlaskClient, open_site: Site, status: str) -> None:
    hidden = say(client, "hidden words", name="Hidden Name", rating=2)
    move(hidden, status)
    base = "/v1/sites/blog"
    doors = [f"{base}/thread?page={PAGE}", f"{base}/latest", f"{base}/feed.atom", f"{base}/counts?page={PAGE}"]
    for door in doors:
        text = client.get(door).text
        assert hidden not in text and "hidden" not in text.lower()
    assert client.get(f"{base}/comments/{hidden}").status_code == 404
    assert thread(client)["page"]["rating"] is None


def test_the_second_read_is_a_304_until_something_changes(client: FlaskClient, open_site: Site) -> None:
    say(client, "one")
    etag = client.get("/v1/sites/blog/thread", query_string={"page": PAGE}).headers["ETag"]
    same = client.get("/v1/sites/blog/thread", query_string={"page": PAGE}, headers={"If-None-Match": etag})
    assert (same.status_code, same.data) == (304, b"")
    assert "Origin" in same.headers["Vary"]
    say(client, "two")
    changed = client.get("/v1/sites/blog/thread", query_string={"page": PAGE}, headers={"If-None-Match": etag})
    assert changed.status_code == 200


def test_counts_come_in_the_order_asked(client: FlaskClient, open_site: Site) -> None:
    say(client, "one")
    pages = ["/nothing", PAGE]
    asked = client.get("/v1/sites/blog/counts", query_string={"page": pages}).json
    assert [(one["page"], one["comment_count"]) for one in asked["counts"]] == [("/nothing", 0), (PAGE, 1)]
    assert client.post("/v1/sites/blog/counts", json={"pages": pages}).json == asked


def test_a_hundred_pages_with_the_longest_addresses_are_counted(client: FlaskClient, open_site: Site) -> None:
    pages = [f"/{number:03}{'x' * 2000}" for number in range(100)]
    asked = client.post("/v1/sites/blog/counts", json={"pages": pages})
    assert (asked.status_code, len(asked.json["counts"])) == (200, 100)


def test_one_site_never_shows_another(client: FlaskClient, open_site: Site) -> None:
    mine = say(client, "mine")
    add_site("other", ["https://other.example.org"])
    assert thread(client, site="other")["comments"] == []
    assert client.get(f"/v1/sites/other/comments/{mine}").status_code == 404
    assert client.get("/v1/sites/other/latest").json["comments"] == []
    assert client.get("/v1/sites/other/counts", query_string={"page": PAGE}).json["counts"][0]["comment_count"] == 0


def test_the_feed_is_atom_that_stays_the_same(client: FlaskClient, open_site: Site) -> None:
    from defusedxml import ElementTree

    say(client, "**Bold** & <b>brave</b>")
    feed = client.get("/v1/sites/blog/feed.atom")
    root = ElementTree.fromstring(feed.data)
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    entry = root.find("{http://www.w3.org/2005/Atom}entry")
    content = entry.find("{http://www.w3.org/2005/Atom}content")
    assert content.get("type") == "html"
    assert "<strong>Bold</strong>" in content.text
    assert client.get("/v1/sites/blog/feed.atom").headers["ETag"] == feed.headers["ETag"]


def test_the_preview_is_what_will_be_published(client: FlaskClient, open_site: Site) -> None:
    words = "# One\n\n*two* <script>alert(1)</script> https://example.org"
    preview = client.post("/v1/sites/blog/preview", json={"body": words}).json["html"]
    say(client, words)
    assert thread(client)["comments"][0]["html"] == preview
    assert "<script" not in preview
