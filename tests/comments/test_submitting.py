"""Leaving a comment by JSON: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.app import create_app
from service.comments import queries
from service.comments.models import Comment
from service.db import db, now, transaction
from service.errors import Conflict
from service.privacy.seal import email_index
from service.privacy.unseal import unseal
from service.sites import operations as sites
from service.sites.models import Site
from service.webhooks.models import Event
from tests.conftest import ORIGIN, add_site
from tests.support import PAGE, post, submission, thread


def stored() -> list[Comment]:
    db.session.rollback()
    return list(db.session.scalars(select(Comment).order_by(Comment.id)))


def set_site(site: Site, **values: Any) -> None:
    with transaction():
        sites.change_site(db.session.merge(site), values, actor="test")


def test_a_comment_waits_for_a_moderator(client: FlaskClient, site: Site) -> None:
    answer = post(client)
    assert answer.status_code == 202
    assert answer.json["status"] == "pending"
    assert answer.json["author_token"].startswith("gra_")
    assert answer.json["manage_url"].endswith("/mine#" + answer.json["author_token"])
    assert thread(client)["comments"] == []


def test_a_site_that_moderates_afterwards_publishes_at_once(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    assert post(client).status_code == 201
    (comment,) = thread(client)["comments"]
    assert comment["html"] == "<p>What a <em>fine</em> series.</p>\n"


def test_the_address_is_sealed_and_found_by_its_index(client: FlaskClient, site: Site) -> None:
    post(client, email="Ada@Mail.example.org")
    (comment,) = stored()
    assert comment.email_sealed is not None
    assert b"mail.example" not in comment.email_sealed.lower()
    assert unseal(comment.email_sealed) == "Ada@mail.example.org"
    assert comment.email_index == email_index(site.id, "ada@mail.example.org")


def test_two_sites_index_one_address_differently(app: Flask, site: Site) -> None:
    other = add_site("other", ["https://other.example.org"])
    assert email_index(site.id, "ada@mail.example.org") != email_index(other.id, "ada@mail.example.org")


def test_of_the_client_only_a_network_label_is_kept(client: FlaskClient, site: Site) -> None:
    client.post("/v1/sites/blog/comments", json=submission(), environ_base={"REMOTE_ADDR": "203.0.113.7"})
    client.post("/v1/sites/blog/comments", json=submission(body="Two"), environ_base={"REMOTE_ADDR": "203.0.113.99"})
    client.post("/v1/sites/blog/comments", json=submission(body="Three"), environ_base={"REMOTE_ADDR": "198.51.100.1"})
    one, two, three = stored()
    assert one.network_label == two.network_label != three.network_label
    assert "203" not in str(one.network_label)[:3] or len(str(one.network_label)) == 16


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", None, "invalid"),
        ("name", "", "blank"),
        ("name", "\u200b\u200b", None),
        ("name", "a\u202eb", "direction"),
        ("name", "x" * 81, "too-long"),
        ("name", 7, None),
        ("email", "not an address", "email"),
        ("email", "a@b", "email"),
        ("email", "x" * 250 + "@example.org", "email"),
        ("body", "   ", None),
        ("body", "x" * 10_001, "too-long"),
        ("body", ["x"], None),
        ("website", "javascript:alert(1)", None),
        ("website", "https://user:pw@example.org/", None),
        ("rating", "8", "number"),
        ("rating", 8, "no-scale"),
        ("notify", "yes", "boolean"),
        ("parent_id", "x", None),
        ("page", "", None),
        ("page", "https://evil.example.com/x", "page"),
        ("status", "approved", "unknown"),
        ("is_moderator", True, "unknown"),
    ],
)
def test_what_cannot_be_taken_is_named(
    client: FlaskClient, site: Site, field: str, value: Any, code: str | None
) -> None:
    answer = post(client, **{field: value})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    (found,) = answer.json["errors"][field][:1]
    assert found["detail"]
    assert code is None or found["code"] == code
    assert stored() == []


@pytest.mark.parametrize("field", ["name", "email", "body", "page"])
def test_a_required_field_is_asked_for(client: FlaskClient, site: Site, field: str) -> None:
    document = submission()
    del document[field]
    answer = client.post("/v1/sites/blog/comments", json=document)
    assert answer.status_code == 422
    assert answer.json["errors"] == {field: [{"code": "required", "detail": "This field is required."}]}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 422),
        (b'"x"', 422),
        (b"null", 422),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "a\\u0000b"}', 400),
        (b'{"rating": NaN}', 400),
        (b'{"rating": 123456789012345678901234567890}', 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b"[" * 5000, 400),
        ("{}".encode("utf-16"), 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"name": "\xff"}', 400),
        (b"x" * 300_000, 413),
    ],
)
def test_odd_bodies_are_refused_in_words(client: FlaskClient, site: Site, raw: bytes, status: int) -> None:
    answer = client.post("/v1/sites/blog/comments", data=raw, content_type="application/json")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]
    assert stored() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_is_asked_for_by_its_name(client: FlaskClient, site: Site, kind: str) -> None:
    answer = client.post("/v1/sites/blog/comments", data=json.dumps(submission()), content_type=kind)
    assert answer.status_code == 415
    assert stored() == []


def test_a_site_that_is_not_there_is_a_404(client: FlaskClient, site: Site) -> None:
    assert post(client, site="nowhere").status_code == 404


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "http://blog.example.org", ORIGIN + ".evil.org"]
)
def test_a_foreign_page_may_not_post(client: FlaskClient, site: Site, origin: str) -> None:
    answer = post(client, headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json["type"] == "/problems/origin-not-allowed"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert stored() == []


@pytest.mark.parametrize("origin", [ORIGIN, "http://127.0.0.1:8080", None])
def test_its_own_pages_may_post(client: FlaskClient, site: Site, origin: str | None) -> None:
    answer = post(client, headers={"Origin": origin} if origin else None)
    assert answer.status_code == 202
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if origin == ORIGIN else None)
    assert "Origin" in answer.headers["Vary"]


def test_the_same_words_from_the_same_network_are_a_duplicate(client: FlaskClient, site: Site) -> None:
    post(client)
    answer = post(client, email="other@mail.example.org", name="Somebody else")
    assert answer.status_code == 409
    assert answer.json["detail"] == "You have already said that here."
    assert len(stored()) == 1


def test_the_same_words_by_the_same_token_are_a_duplicate_anywhere(client: FlaskClient, site: Site) -> None:
    token = post(client).json["author_token"]
    again = client.post(
        "/v1/sites/blog/comments",
        json=submission(),
        headers={"Authorization": f"Author {token}"},
        environ_base={"REMOTE_ADDR": "198.51.100.1"},
    )
    assert again.status_code == 409


def test_the_same_address_alone_only_holds(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    assert post(client).status_code == 201
    elsewhere = {"REMOTE_ADDR": "198.51.100.1"}
    again = client.post("/v1/sites/blog/comments", json=submission(), environ_base=elsewhere)
    assert again.status_code == 202
    assert [one.code for one in stored()[1].reasons] == ["email-duplicate"]


def test_a_typed_address_never_makes_one_known(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    post(client)
    set_site(site, mode="first_timers")
    assert post(client, body="Once more").status_code == 202


def test_a_proven_token_makes_one_known(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    token = post(client).json["author_token"]
    set_site(site, mode="first_timers")
    answer = post(client, body="Once more", headers={"Authorization": f"Author {token}"})
    assert answer.status_code == 201
    assert answer.json["author_token"] is None
    first, second = thread(client)["comments"]
    assert first["author"]["avatar"] == second["author"]["avatar"]


def test_without_a_token_every_comment_has_an_author_of_its_own(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    post(client)
    post(client, body="Once more")
    first, second = thread(client)["comments"]
    assert first["author"]["avatar"] != second["author"]["avatar"]


def test_a_token_of_another_site_proves_nothing(client: FlaskClient, site: Site) -> None:
    add_site("other", ["https://other.example.org"], mode="post")
    token = post(client, site="other").json["author_token"]
    set_site(site, mode="first_timers")
    assert post(client, headers={"Authorization": f"Author {token}"}).status_code == 202


def test_a_filled_honeypot_is_spam_that_is_told_nothing(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    answer = post(client, honeypot="buy")
    assert (answer.status_code, answer.json["status"]) == (202, "pending")
    assert stored()[0].status == "spam"


def test_a_reply_needs_a_published_parent(client: FlaskClient, site: Site) -> None:
    held = post(client).json["id"]
    answer = post(client, body="But no", parent_id=held)
    assert answer.status_code == 422
    assert answer.json["errors"]["parent_id"][0]["code"] == "parent"


@pytest.mark.parametrize("where", ["another page", "another site", "nowhere"])
def test_a_reply_stays_on_its_page(client: FlaskClient, site: Site, where: str) -> None:
    set_site(site, mode="post")
    add_site("other", ["https://other.example.org"], mode="post")
    parents = {
        "another page": lambda: post(client, page="/elsewhere").json["id"],
        "another site": lambda: post(client, site="other").json["id"],
        "nowhere": lambda: str(uuid4()),
    }
    answer = post(client, body="But no", parent_id=parents[where]())
    assert answer.status_code == 422


@pytest.mark.parametrize("rating", [0, 0.5, 11, 8.5, -1, 1e308])
def test_a_rating_off_the_scale_is_refused(client: FlaskClient, site: Site, rating: float) -> None:
    set_site(site, rating_max=10.0)
    answer = post(client, rating=rating)
    assert answer.json["errors"]["rating"][0]["detail"] == "Rate from 1 to 10, in whole steps."


@pytest.mark.parametrize(
    ("best", "halves", "rating"), [(5.0, False, 5), (5.0, True, 0.5), (100.0, False, 73), (10.0, True, 8.5)]
)
def test_any_scale_takes_its_ratings(client: FlaskClient, site: Site, best: float, halves: bool, rating: float) -> None:
    set_site(site, rating_max=best, rating_halves=halves, mode="post")
    assert post(client, rating=rating).status_code == 201
    told = thread(client)["page"]["rating"]
    assert (told["average"], told["best"], told["count"]) == (rating, best, 1)


def test_a_second_rating_by_token_is_refused(client: FlaskClient, site: Site) -> None:
    set_site(site, rating_max=10.0)
    token = post(client, rating=8).json["author_token"]
    again = post(client, body="Ten!", rating=10, headers={"Authorization": f"Author {token}"})
    assert again.status_code == 409


@pytest.mark.parametrize("change", [{"rating_max": 5.0}, {"rating_halves": False}])
def test_a_scale_on_which_somebody_rated_stays_even_while_the_rating_waits(
    client: FlaskClient, site: Site, change: dict[str, Any]
) -> None:
    set_site(site, rating_max=10.0, rating_halves=True)
    assert post(client, rating=8.5).status_code == 202
    with pytest.raises(Conflict):
        set_site(site, **change)


def test_ratings_are_switched_off_and_on_again_on_the_scale_they_were_given(client: FlaskClient, site: Site) -> None:
    set_site(site, rating_max=10.0, mode="post")
    post(client, rating=8)
    set_site(site, rating_max=None)
    assert thread(client)["page"]["rating"] is None
    with pytest.raises(Conflict):
        set_site(site, rating_max=5.0)
    set_site(site, rating_max=10.0)
    assert thread(client)["page"]["rating"]["average"] == 8


def test_a_scale_without_ratings_may_change(client: FlaskClient, site: Site) -> None:
    set_site(site, rating_max=10.0, rating_halves=True)
    post(client)
    set_site(site, rating_max=5.0, rating_halves=False)
    assert post(client, body="Five", rating=5).status_code == 202


def test_a_closed_thread_says_since_when(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    post(client)
    with transaction():
        page = queries.get(stored()[0].id).page  # type: ignore[union-attr]
        sites.change_page(page, actor="test", closed=True)
    answer = post(client, body="Too late")
    assert answer.status_code == 403
    assert answer.json["type"] == "/problems/thread-closed"
    assert str(now().year) in answer.json["detail"]
    assert answer.json["closed_at"].endswith("Z")
    assert thread(client)["page"]["state"] == "closed"


def test_a_thread_closes_by_age(client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    set_site(site, mode="post", close_after_days=30)
    post(client)
    later = now() + timedelta(days=31)
    monkeypatch.setattr("service.sites.models.now", lambda: later)
    assert post(client, body="Too late").status_code == 403


def test_reading_makes_no_thread(client: FlaskClient, site: Site) -> None:
    assert thread(client)["page"]["id"] is None
    assert db.session.scalar(select(func.count()).select_from(sites.Page)) == 0


def test_one_thread_behind_all_spellings_of_a_url(client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    post(client, page=f"{ORIGIN}{PAGE}/?utm_source=x#reviews")
    for page in (PAGE, f"{ORIGIN}{PAGE}", f"http://blog.example.org{PAGE}/", f"{ORIGIN.upper()}{PAGE}?fbclid=1"):
        assert len(thread(client, page=page)["comments"]) == 1


def test_one_event_and_one_audit_row_a_comment(client: FlaskClient, site: Site) -> None:
    post(client)
    db.session.rollback()
    types = list(db.session.scalars(select(Event.type).order_by(Event.id)))
    assert types == ["thread.opened", "comment.created"]
    event = db.session.scalars(select(Event).where(Event.type == "comment.created")).one()
    assert event.data["comment"]["status"] == "pending"
    assert "ada@" not in json.dumps(event.data)


def test_a_locked_database_is_a_503_that_changes_nothing(app: Flask, site: Site) -> None:
    impatient = create_app(replace(app.extensions["greenroom_settings"], busy_timeout=0.1))
    if db.engine.dialect.name != "sqlite":
        blocked = "LOCK TABLE comments IN ACCESS EXCLUSIVE MODE"
    else:
        blocked = "BEGIN IMMEDIATE"
    raw = db.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(blocked)
        answer = post(impatient.test_client())
    finally:
        raw.rollback()
        raw.close()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert stored() == []
    assert post(impatient.test_client()).status_code == 202
    with impatient.app_context():
        db.engine.dispose()
