"""The queue and its filters, pages, audit: what moderators look things up by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from service.db import db, now, transaction
from service.sites import operations as sites
from service.sites.models import Site
from tests.conftest import ORIGIN, add_site
from tests.moderation.conftest import Desk, token_of
from tests.support import PAGE, post, thread


def names(desk: Desk, **query: Any) -> list[str]:
    answer = desk.get("/moderation/comments", **query)
    assert answer.status_code == 200, answer.text
    return [one["author"]["name"] for one in answer.json["comments"]]


@pytest.fixture
def three(client: FlaskClient, site: Site) -> list[str]:
    """Ada, who links twice; Ben, elsewhere; Çelik, who writes of a naïve moderator."""
    said = [
        post(client, name="Ada", body="Cheap pills at https://a.example.org and https://cheap-pharmacy.example.org/b"),
        post(client, name="Ben", body="Fine moderation, Baker-Straße", page="/other", email="ben@mail.example.org"),
        post(client, name="Çelik", body="Hardly naïve: it_is 100% O'Brien's", email="celik@mail.example.org"),
    ]
    return [answer.json["id"] for answer in said]


SEARCHES = {
    "pills": ["Ada"],
    "PILL": ["Ada"],
    "cheap pills": ["Ada"],
    "cheap fine": [],
    "mod": ["Ben"],
    "ben": ["Ben"],
    "çel": ["Çelik"],
    "naïve": ["Çelik"],
    "naive celik": ["Çelik"],
    "o'brien": ["Çelik"],
    "it_is": ["Çelik"],
    "100%": ["Çelik"],
    "%": [],
    '"': [],
    "pills OR fine": [],
    "mail.example.org": [],
    "ada@mail": [],
    "_": [],
    "example": ["Ada"],
    "org": ["Ada"],
    "pharmacy": ["Ada"],
    "STRASSE": ["Ben"],
    "Straße": ["Ben"],
    "STRAßE": ["Ben"],
    "naïve: it": ["Çelik"],
}


def test_search_is_by_words_and_their_beginnings(desk: Desk, three: list[str]) -> None:
    assert {q: names(desk, q=q) for q in SEARCHES} == SEARCHES


def test_an_edited_comment_is_found_by_its_new_words(desk: Desk, three: list[str]) -> None:
    path = f"/moderation/comments/{three[0]}"
    desk.call("PATCH", path, json={"body": "Only marmalade"}, headers={"If-Match": '"v1"'})
    assert (names(desk, q="pills"), names(desk, q="marmalade")) == ([], ["Ada"])


def test_the_queue_is_filtered_by_state_page_and_reason(desk: Desk, three: list[str]) -> None:
    desk.decide(three[1], "approve")
    assert names(desk, status="pending") == ["Ada", "Çelik"]
    assert names(desk, status="approved") == ["Ben"]
    assert names(desk, site="blog", page="/other") == ["Ben"]
    assert names(desk, site="blog", page="/never") == []
    assert names(desk, reason="links") == ["Ada"]
    assert names(desk, reason="nothing") == []


ORDERS = {"oldest": ["Ada", "Ben", "Çelik"], "newest": ["Çelik", "Ben", "Ada"], "risk": ["Ada", "Ben", "Çelik"]}


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_the_queue_is_paged_in_every_order(desk: Desk, three: list[str], limit: int) -> None:
    assert {sort: in_pages(desk, sort, limit) for sort in ORDERS} == ORDERS


def in_pages(desk: Desk, sort: str, limit: int) -> list[str]:
    """The names in the queue, read from its first page to its last."""
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"sort": sort, "limit": limit} | ({"cursor": cursor} if cursor else {})
        found = desk.get("/moderation/comments", **query).json
        seen += [one["author"]["name"] for one in found["comments"]]
        cursor = found["next"]
        if cursor is None:
            return seen


@pytest.mark.parametrize(
    "query", [{"q": "x" * 201}, {"status": "odd"}, {"cursor": "odd"}, {"limit": 0}, {"limit": 101}, {"offset": 1}]
)
def test_an_odd_query_is_refused_by_its_name(desk: Desk, query: dict[str, Any]) -> None:
    answer = desk.get("/moderation/comments", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(query))


def test_among_several_sites_a_page_needs_its_site(app: Flask, three: list[str]) -> None:
    add_site("other", ["https://other.example.org"])
    admin = Desk(app, token_of("root", None, is_admin=True))
    assert admin.get("/moderation/comments", page="/other").json["errors"]["page"][0]["code"] == "site"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"sort": "oldest"}, "ABCDE"),
        ({"sort": "newest"}, "EDCBA"),
        ({"sort": "risk"}, "BEACD"),
        ({"sort": "oldest", "q": "words"}, "ABCDE"),
        ({"sort": "newest", "q": "linked"}, "EB"),
    ],
)
def test_several_sites_are_one_list_in_order(
    app: Flask, client: FlaskClient, site: Site, query: dict[str, str], wanted: str
) -> None:
    add_site("other", ["https://other.example.org"])
    admin = Desk(app, token_of("root", None, is_admin=True))
    for n, name in enumerate("ABCDE"):
        linked = "linked https://a.example.org https://b.example.org https://c.example.org" if name in "BE" else ""
        post(
            client,
            ("blog", "other")[n % 3 % 2],
            name=name,
            email=f"{name}@mail.example.org",
            body=f"Words {linked} {n}",
        )
    seen, cursor = "", {}
    while cursor is not None:
        answer = admin.get("/moderation/comments", status="pending", limit=2, **query, **cursor).json
        seen += "".join(one["author"]["name"] for one in answer["comments"])
        cursor = {"cursor": answer["next"]} if answer["next"] else None
    assert seen == wanted


def test_one_comment_comes_with_its_person_and_history(client: FlaskClient, desk: Desk, three: list[str]) -> None:
    post(client, name="Ada again", body="More of it")
    desk.decide(three[0], "spam")
    found = desk.get(f"/moderation/comments/{three[0]}").json
    assert (found["person"]["comments"], found["person"]["approved"], found["person"]["rejected"]) == (2, 0, 1)
    assert [one["action"] for one in found["history"]] == ["comment.spam", "comment.created"]
    assert [one["code"] for one in found["reasons"]] == ["links", "pre-moderation"]


def test_a_moderator_opens_names_closes_and_reopens_a_page(client: FlaskClient, desk: Desk) -> None:
    made = desk.call("POST", "/pages", json={"site": "blog", "page": PAGE, "title": "Blacksmith"})
    assert (made.status_code, made.json["title"], made.json["url"]) == (201, "Blacksmith", ORIGIN + PAGE)
    path = f"/pages/{made.json['id']}"
    assert desk.call("PATCH", path, json={"closed": True, "title": "The Smith"}).json["state"] == "closed"
    assert post(client).status_code == 403
    assert desk.call("PATCH", path, json={"closed": False}).json["state"] == "open"
    assert post(client).status_code == 202
    assert [one["title"] for one in desk.get("/pages").json["pages"]] == ["The Smith"]
    assert [one["type"] for one in desk.get("/events").json["events"]][:3] == [
        "thread.opened",
        "thread.closed",
        "thread.opened",
    ]


def test_a_thread_that_closed_by_age_is_open_for_as_long_again(client: FlaskClient, desk: Desk, site: Site) -> None:
    with transaction():
        sites.change_site(db.session.merge(site), {"close_after_days": 30}, actor="test")
    path = f"/pages/{desk.call('POST', '/pages', json={'site': 'blog', 'page': PAGE}).json['id']}"
    with time_machine.travel(now() + timedelta(days=31), tick=False) as clock:
        assert thread(client)["page"]["state"] == "closed"
        assert desk.call("PATCH", path, json={"closed": False}).json["state"] == "open"
        assert post(client).status_code == 202
        told = [one["data"]["page"]["state"] for one in desk.get("/events", types="thread.opened").json["events"]]
        assert told == ["open", "open"]
        clock.shift(timedelta(days=31))
        assert thread(client)["page"]["state"] == "closed"


def test_a_thread_that_closed_by_age_can_be_closed_for_good(client: FlaskClient, desk: Desk, site: Site) -> None:
    with transaction():
        sites.change_site(db.session.merge(site), {"close_after_days": 30}, actor="test")
    path = f"/pages/{desk.call('POST', '/pages', json={'site': 'blog', 'page': PAGE}).json['id']}"
    with time_machine.travel(now() + timedelta(days=31), tick=False):
        desk.call("PATCH", path, json={"closed": True})
        with transaction():
            sites.change_site(db.session.merge(site), {"close_after_days": None}, actor="test")
        assert thread(client)["page"]["state"] == "closed"


def test_an_alias_leads_to_the_same_thread(client: FlaskClient, desk: Desk, site: Site) -> None:
    with transaction():
        sites.change_site(db.session.merge(site), {"mode": "post"}, actor="test")
    page = desk.call("POST", "/pages", json={"site": "blog", "page": PAGE}).json["id"]
    assert desk.call("POST", f"/pages/{page}/aliases", json={"page": "/old"}).status_code == 201
    post(client, page="/old")
    assert len(thread(client)["comments"]) == 1
    other = desk.call("POST", "/pages", json={"site": "blog", "page": "/elsewhere"}).json["id"]
    assert desk.call("POST", f"/pages/{other}/aliases", json={"page": "/old"}).status_code == 409


def test_who_opened_a_page_is_told_and_written_down(client: FlaskClient, desk: Desk) -> None:
    page = desk.call("POST", "/pages", json={"site": "blog", "page": PAGE}).json["id"]
    post(client, page="/by-a-visitor")
    opened = desk.get("/audit", action="thread.opened").json["entries"]
    assert [one["actor"].partition(":")[0] for one in opened] == ["author", "token"]
    assert opened[1]["subject_id"] == page
    told = desk.get("/events", types="thread.opened").json["events"]
    assert [one["data"]["actor"] for one in told] == [opened[1]["actor"], opened[0]["actor"]]


def test_sites_are_paged(app: Flask, desk: Desk) -> None:
    for name in ("one", "two"):
        add_site(name, [f"https://{name}.example.org"])
    admin = Desk(app, token_of("root", None, is_admin=True))
    first = admin.get("/sites", limit=2).json
    then = admin.get("/sites", limit=2, cursor=first["next"]).json
    assert [one["key"] for one in first["sites"] + then["sites"]] == ["blog", "one", "two"]
    assert then["next"] is None
    assert [one["key"] for one in desk.get("/sites").json["sites"]] == ["blog"]


def test_a_page_of_another_site_cannot_be_opened(desk: Desk) -> None:
    answer = desk.call("POST", "/pages", json={"site": "blog", "page": "https://elsewhere.example.com/x"})
    assert answer.status_code == 422


def test_the_audit_log_tells_who_did_what(app: Flask, site: Site, desk: Desk, three: list[str]) -> None:
    desk.decide(three[0], "reject", reason="Off topic")
    (entry,) = desk.get("/audit", action="comment.rejected").json["entries"]
    assert entry["details"] == {"from": "pending", "to": "rejected", "reason": "Off topic", "note": None}
    assert [one["subject_id"] for one in desk.get("/audit", subject=three[0]).json["entries"]] == [three[0]] * 2
    viewer = Desk(app, token_of("vera", site.id, "viewer"))
    assert viewer.get("/audit").json["entries"] == []


def test_the_installs_own_chain_is_for_its_admins(app: Flask, site: Site, desk: Desk) -> None:
    admin = Desk(app, token_of("root", None, is_admin=True))
    actions = {one["action"] for one in admin.get("/audit").json["entries"]}
    assert "moderator.added" in actions
    assert "moderator.added" not in {one["action"] for one in desk.get("/audit").json["entries"]}
