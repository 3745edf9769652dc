"""Filters under a name: one's own, and shared with the moderators of a site."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.accounts.operations import NewToken
from service.audit.models import AuditEntry
from service.db import db, new_id, transaction
from service.filters import operations, queries
from service.sites.models import Site
from tests.conftest import add_site
from tests.contracts.test_plans import asked
from tests.moderation.conftest import Desk, token_of
from tests.support import post


@pytest.fixture
def owner(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("olga", site.id, "owner"))


def save(desk: Desk, name: str = "Links", share: str | None = None, **filter_: Any) -> Any:
    return desk.call("POST", "/moderation/filters", json={"name": name, "filter": filter_, "share": share})


def names(desk: Desk) -> list[str]:
    return [one["name"] for one in desk.get("/moderation/filters").json["filters"]]


def test_a_filter_is_kept_with_the_number_of_what_it_matches(desk: Desk, client: FlaskClient) -> None:
    post(client, body="https://a.example"), post(client, email="b@mail.example.org", body="Calm words.")
    made = save(desk, has_link=True, status="pending")
    assert made.status_code == 201
    expected = {
        "id": made.json["id"], "name": "Links", "mine": True, "shared": None, "count": 1,
        "filter": {"status": "pending", "has_link": True, "sort": "oldest"},
    }  # fmt: skip
    assert made.json == expected
    assert desk.get("/moderation/filters").json == {"filters": [expected], "next": None}


def test_the_newest_stand_first_page_by_page(desk: Desk) -> None:
    for name in ("Zebras", "Apes", "Horses"):
        save(desk, name, q=name)
    first = desk.get("/moderation/filters", limit=2).json
    second = desk.get("/moderation/filters", limit=2, cursor=first["next"]).json
    assert [[one["name"] for one in page["filters"]] for page in (first, second)] == [["Horses", "Apes"], ["Zebras"]]
    assert second["next"] is None
    assert desk.get("/moderation/filters", cursor="x").status_code == 422


def test_they_are_counted_in_one_question(desk: Desk, client: FlaskClient, site: Site) -> None:
    post(client)
    save(desk, "One", status="pending")
    with asked() as short:
        desk.get("/moderation/filters")
    for n in range(5):
        save(desk, f"More {n}", has_link=False, site="blog")
    with asked() as long:
        assert [one["count"] for one in desk.get("/moderation/filters").json["filters"]] == [1] * 6
    assert len(long) == len(short)


def test_no_more_are_counted_than_anybody_can_look_at(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST", 2)
    for n in range(3):
        post(client, email=f"{n}@mail.example.org", body=f"Number {n}.")
    assert save(desk).json["count"] == 2


def test_another_moderator_does_not_see_it(app: Flask, site: Site, desk: Desk) -> None:
    made = save(desk).json["id"]
    bert = Desk(app, token_of("bert", site.id))
    assert names(bert) == []
    assert bert.call("DELETE", f"/moderation/filters/{made}").status_code == 404
    assert desk.call("DELETE", f"/moderation/filters/{made}").status_code == 204
    assert desk.call("DELETE", f"/moderation/filters/{made}").status_code == 404
    assert names(desk) == []


def test_an_owner_shares_with_the_moderators_of_the_site(app: Flask, site: Site, desk: Desk, owner: Desk) -> None:
    made = save(owner, "Ours", share="blog", q="spam").json
    assert (made["shared"], made["filter"]["site"]) == ("blog", "blog")
    assert names(desk) == ["Ours"]
    (shown,) = desk.get("/moderation/filters").json["filters"]
    assert (shown["mine"], shown["shared"]) == (False, "blog")
    elsewhere = Desk(app, token_of("nora", add_site("news", ["https://news.example.org"]).id))
    assert names(elsewhere) == []
    foreign = elsewhere.call("DELETE", f"/moderation/filters/{made['id']}")
    missing = elsewhere.call("DELETE", f"/moderation/filters/{new_id()}")
    assert (foreign.status_code, foreign.json["detail"]) == (404, missing.json["detail"])
    assert desk.call("DELETE", f"/moderation/filters/{made['id']}").status_code == 403
    otto = Desk(app, token_of("otto", site.id, "owner"))
    assert otto.call("DELETE", f"/moderation/filters/{made['id']}").status_code == 204


def test_a_moderator_shares_nothing(app: Flask, site: Site, desk: Desk) -> None:
    assert save(desk, share="blog").status_code == 403
    add_site("news", ["https://news.example.org"])
    assert save(desk, share="news").status_code == 404
    assert names(desk) == []


def test_a_filter_is_shared_on_the_site_that_it_is_about(app: Flask, site: Site) -> None:
    add_site("news", ["https://news.example.org"])
    admin = Desk(app, token_of("root", None, is_admin=True))
    refused = save(admin, share="blog", site="news")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["share"])


def test_nobody_keeps_more_than_twenty(desk: Desk, owner: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "AT_MOST", 2)
    assert [save(desk, name).status_code for name in "abc"] == [201, 201, 409]
    assert save(owner, "x").status_code == 201
    assert names(desk) == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "filter_", "field"),
    [
        ("", {}, "name"),
        ("x" * 61, {}, "name"),
        ("a", {"status": "lost"}, "filter.status"),
        ("a", {"rating": -1}, "filter.rating"),
        ("a", {"nothing": 1}, "filter.nothing"),
    ],
)
def test_what_cannot_be_kept_is_refused(desk: Desk, name: str, filter_: dict[str, Any], field: str) -> None:
    refused = save(desk, name, **filter_)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_a_filter_of_what_is_not_there_is_refused(desk: Desk) -> None:
    assert save(desk, site="never").status_code == 404
    assert save(desk, person=str(new_id())).status_code == 404


def test_ones_own_filter_of_a_site_that_is_no_longer_ours_is_let_go_of(
    app: Flask, site: Site, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts among those that somebody may keep, so it is seen; how many comments it matches is not."""
    monkeypatch.setattr(operations, "AT_MOST", 2)
    own, ours = save(owner, site="blog").json["id"], save(owner, "Ours", share="blog").json["id"]
    news = add_site("news", [])
    with transaction():
        olga = db.session.query(Moderator).filter_by(name="Olga").one()
        accounts.withdraw(olga, site.id, actor="test")
        accounts.grant(olga, news.id, "owner", actor="test")
        mine = Desk(app, accounts.issue_token(olga, NewToken("all", ("read", "moderate")), actor="test").secret)
    told = mine.get("/moderation/filters").json["filters"]
    assert [(one["id"], one["count"], one["shared"]) for one in told] == [(ours, None, None), (own, None, None)]
    assert save(mine, site="news").status_code == 409
    assert [mine.call("DELETE", f"/moderation/filters/{one}").status_code for one in (own, ours)] == [204, 204]
    assert save(mine, site="news").status_code == 201


def test_keeping_and_letting_go_is_written_down(desk: Desk, owner: Desk, site: Site) -> None:
    own, ours = save(desk).json["id"], save(owner, share="blog").json["id"]
    desk.call("DELETE", f"/moderation/filters/{own}")
    found = db.session.query(AuditEntry).filter(AuditEntry.action.startswith("filter.")).order_by(AuditEntry.at)
    assert [(one.action, str(one.subject_id)) for one in found] == [
        ("filter.saved", own), ("filter.saved", ours), ("filter.deleted", own),
    ]  # fmt: skip
    assert next(one.chain for one in found if str(one.subject_id) == ours) == str(site.id)


def test_the_same_key_keeps_one(desk: Desk) -> None:
    body = {"name": "Once", "filter": {}}
    key = {"Idempotency-Key": "once"}
    first, again = (desk.call("POST", "/moderation/filters", json=body, headers=key) for _ in range(2))
    assert first.json == again.json and names(desk) == ["Once"]
