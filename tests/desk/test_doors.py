"""Who may: sessions, roles, sites, forged requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from service.comments.models import Comment
from service.db import new_id
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser, fields, the_form, words

Leave = Callable[..., UUID]
Stored = Callable[[UUID], Comment]


def desk_views(app: Flask) -> dict[str, Any]:
    return {name: view for name, view in app.view_functions.items() if name.startswith("desk.")}


def test_every_page_of_the_desk_asks_who_is_there(app: Flask) -> None:
    views = desk_views(app)
    unguarded = [name for name, view in views.items() if not hasattr(view, "guarded_scope")]
    assert unguarded == ["desk.files.static"] and len(views) >= 6


def test_whatever_changes_something_needs_the_right_to_moderate(app: Flask) -> None:
    posts = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint in desk_views(app) and "POST" in rule.methods
    ]  # type: ignore[operator]
    assert sorted(posts) == [
        "desk.act_on_webhook", "desk.add_rule", "desk.add_webhook", "desk.decide", "desk.decide_many",
        "desk.delete_filter", "desk.edit", "desk.end_rule",
        "desk.look_up", "desk.note", "desk.pin", "desk.replace_reasons", "desk.reply", "desk.reveal",
        "desk.rule_person", "desk.save_filter", "desk.set_site", "desk.settle", "desk.take", "desk.undo",
        "desk.undo_many",
    ]  # fmt: skip
    scopes = {name: desk_views(app)[name].guarded_scope for name in posts}
    managing = ("desk.act_on_webhook", "desk.add_webhook", "desk.replace_reasons", "desk.set_site")
    assert {scopes.pop(one) for one in managing} == {"manage"}
    assert set(scopes.values()) == {"moderate"}


POSTS = ("/decision", "/revision", "/reveal", "/undo", "/notes", "/reply", "/pin", "")


def typed(path: str) -> dict[str, str]:
    """What one of these forms would send."""
    decision = {"/revision": "accept", "/decision": "approve"}.get(path, "")
    ids = {"revision": str(new_id()), "undoes": str(new_id())}
    return ids | {"decision": decision, "body": "Changed.", "note": "Noted.", "seen": '"v1"'}


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_is_refused(anna: Browser, comment: Leave, stored: Stored, path: str) -> None:
    one = comment()
    data = {"decision": "approve", "body": "Forged.", "seen": '"v1"'}
    answer = anna.post(f"/desk/comments/{one}{path}", data=data, headers={"Origin": HOME})
    assert answer.status_code == 403 and "Reload it" in words(answer)
    now = stored(one)
    assert now.status == "pending" and now.body != "Forged."


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": HOME, "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused(
    anna: Browser, comment: Leave, stored: Stored, headers: dict[str, str]
) -> None:
    one = comment()
    form, _ = the_form(anna.get("/desk/").text, "Approve", None)
    answer = anna.post(form.get("action", ""), data=fields(form) | {"decision": "approve"}, headers=headers)
    assert answer.status_code == 403 and stored(one).status == "pending"


def test_the_same_form_from_here_is_taken(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    form, _ = the_form(anna.get("/desk/").text, "Approve", None)
    sent = {"data": fields(form) | {"decision": "approve"}, "headers": {"Origin": HOME}}
    assert anna.post(form.get("action", ""), **sent).status_code == 303 and stored(one).status == "approved"


def test_looking_decides_nothing(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    answer = anna.get(f"/desk/comments/{one}/decision?decision=approve")
    assert answer.status_code in (404, 405) and stored(one).status == "pending"


def test_a_viewer_sees_no_buttons(signed_in: Callable[..., Browser], comment: Leave) -> None:
    one = comment(body="To be seen.")
    viewer = signed_in("Vera", "viewer")
    for path in ("/desk/", f"/desk/comments/{one}"):
        page = viewer.get(path)
        assert "To be seen." in words(page)
        assert not any(word in page.text for word in ("Approve</button>", "Save the text", "Show the address"))


@pytest.mark.parametrize("path", POSTS)
def test_a_viewer_can_change_nothing(
    signed_in: Callable[..., Browser], anna: Browser, comment: Leave, stored: Stored, path: str
) -> None:
    one = comment()
    viewer = signed_in("Vera", "viewer")
    form, _ = the_form(viewer.get("/desk/").text, "Sign out", None)
    data = fields(form) | typed(path)
    answer = viewer.post(f"/desk/comments/{one}{path}", data=data, headers={"Origin": HOME})
    assert answer.status_code == 403 and "does not allow to moderate" in words(answer)
    assert (stored(one).status, stored(one).version) == ("pending", 1)


@pytest.fixture
def stranger(signed_in: Callable[..., Browser], site: Any) -> Browser:
    """A moderator of another site."""
    return signed_in("Nora", "moderator", add_site("news", ["https://news.example.org"]).id)


def test_another_sites_comment_is_not_there(stranger: Browser, comment: Leave) -> None:
    one = comment(name="Canary", body="Canary.")
    answer = stranger.get(f"/desk/comments/{one}")
    assert answer.status_code == 404 and "Canary" not in answer.text


@pytest.mark.parametrize("path", POSTS)
def test_another_sites_comment_cannot_be_changed(stranger: Browser, comment: Leave, stored: Stored, path: str) -> None:
    one = comment(name="Canary")
    form, _ = the_form(stranger.get("/desk/").text, "Sign out", None)
    data = fields(form) | typed(path)
    answer = stranger.post(f"/desk/comments/{one}{path}", data=data, headers={"Origin": HOME})
    assert answer.status_code == 404 and "Canary" not in answer.text
    assert (stored(one).status, stored(one).version) == ("pending", 1)


def test_another_sites_queue_is_not_there(stranger: Browser, comment: Leave) -> None:
    one = comment(name="Canary")
    assert stranger.get("/desk/?site=blog").status_code == 404
    for path in ("/desk/", "/desk/?status=all", f"/desk/?done={one}", "/desk/?q=Canary&status=all"):
        page = stranger.get(path)
        assert page.status_code == 200 and str(one) not in page.text.replace(path, "")


def test_the_files_are_for_anybody(client: FlaskClient) -> None:
    for name in ("desk.css", "desk.js", "typed.js", "icon.svg", "vendor/htmx.min.js", "vendor/pico.min.css"):
        with client.get(f"/desk/static/{name}") as answer:
            assert answer.status_code == 200 and len(answer.data) > 100


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("SELECT 1", {}, Exception("database is locked"))


def test_a_database_that_is_away_is_told_in_the_desks_look(anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.moderation.queries.listed", away)
    answer = anna.get("/desk/")
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert "Nothing was changed" in words(answer) and "To the queue" in words(answer)


def test_htmx_keeps_the_item_when_the_database_is_away(
    anna: Browser, comment: Leave, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = comment()
    page = anna.get("/desk/")
    monkeypatch.setattr("service.moderation.operations.transition", away)
    answer = anna.htmx(page, "Approve", within=f"c-{one}")
    assert answer.status_code == 503 and answer.headers["HX-Retarget"] == f"#say-{one}"
    assert "Nothing was changed" in answer.text and stored(one).status == "pending"


def test_a_forged_place_costs_nobody_their_decision(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    answer = anna.htmx(anna.get("/desk/"), "Approve", within=f"c-{one}", back="site=foreign&status=pending")
    assert answer.status_code == 200 and stored(one).status == "approved"


def test_a_long_search_stands_in_no_decisions_way(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment(body="🐎 horse")
    page = anna.get("/desk/", query_string={"q": "horse" + "🐎" * 195, "status": "all"})
    answer = anna.press(page, "Approve", within=f"c-{one}")
    assert answer.status_code == 303 and stored(one).status == "approved"
    assert anna.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("seen", ["http://[", "https://evil.example/x", "//evil.example", "", "javascript:alert(1)"])
def test_an_odd_page_of_htmx_leads_to_sign_in_and_then_the_desk(
    open_browser: Callable[[], Browser], person: Any, seen: str
) -> None:
    person("Anna")
    browser = open_browser()
    answer = browser.get("/desk/", headers={"HX-Request": "true", "HX-Current-URL": seen})
    assert answer.status_code == 401
    page = browser.get(answer.headers["HX-Redirect"])
    there = browser.press(page, "Sign in", email="anna@desk.example.org", password="correct horse battery")
    assert there.headers["Location"].rstrip("/") == "/desk"
