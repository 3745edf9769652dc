"""What the holder of a token sees of what they wrote, and who else sees nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.sites.models import Site
from tests.authors.conftest import Author
from tests.conftest import ORIGIN, add_site
from tests.moderation.conftest import Desk
from tests.support import PAGE, post

ELSEWHERE = "https://shop.example.org"
NOBODY = "Nobody has this private link: it is not complete, or everything behind it was erased."


def test_an_author_sees_what_they_wrote(ada: Author, held: str) -> None:
    found = ada.one()
    assert found["id"] == held
    assert (found["status"], found["name"], found["website"]) == ("pending", "Ada", "https://ada.example.org")
    assert (found["body"], found["html"]) == ("What a *fine* series.", "<p>What a <em>fine</em> series.</p>\n")
    assert found["page"]["url"] == f"{ORIGIN}{PAGE}"
    assert re.fullmatch("[0-9a-f]{16}", found["avatar"])
    assert (found["revision"], found["edited_at"], found["notify"]) == (None, None, False)


def test_what_another_wrote_is_not_there(ada: Author, held: str) -> None:
    post(ada.client, body="Another one.", email="bea@mail.example.org")
    assert [one["id"] for one in ada.mine()] == [held]


def test_neither_address_nor_network_nor_reasons_are_told(ada: Author, held: str) -> None:
    text = ada.call("GET").text
    assert not [word for word in ("mail.example", "email", "network", "reasons", "pre-moderation") if word in text]


@pytest.mark.parametrize(
    ("decision", "told"),
    [("approve", "approved"), ("reject", "rejected"), ("spam", "pending"), ("delete", "deleted")],
)
def test_a_spammer_is_told_what_anybody_who_waits_is_told(
    ada: Author, desk: Desk, held: str, decision: str, told: str
) -> None:
    before = ada.one()
    assert desk.decide(held, decision).status_code == 200
    after = ada.one()
    assert after["status"] == told
    assert (after == before) is (told == "pending")


def test_all_pages_hold_all_comments_the_newest_first(ada: Author, held: str) -> None:
    ids = [held, *(ada.say(body=f"Word {n}", page=f"/p/{n % 2}") for n in range(4))]
    found, cursor = [], None
    while cursor is not None or not found:
        page = ada.call("GET", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        found += [one["id"] for one in page["comments"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ids[::-1]


def test_a_cursor_of_somebody_else_is_refused(app: Flask, ada: Author, held: str) -> None:
    ada.say(body="One more")
    cursor = ada.call("GET", query_string={"limit": 1}).json["next"]
    bea = Author(app, post(ada.client, body="Another", email="bea@mail.example.org").json["author_token"])
    assert bea.call("GET", query_string={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "header", [None, "Author", "Author gra_", "Author gra_" + "x" * 43, "Bearer {}", "Author é", "x"]
)
def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(
    client: FlaskClient, ada: Author, held: str, method: str, header: str | None
) -> None:
    headers = {"Authorization": header.format(ada.token)} if header else {}
    asked = {"GET": {}, "PATCH": {"json": {"id": held, "body": "x"}}, "DELETE": {"query_string": {"comment": held}}}
    answer = client.open("/v1/mine", method=method, headers=headers, **asked[method])
    assert (answer.status_code, answer.mimetype, answer.json["detail"]) == (401, "application/problem+json", NOBODY)
    assert answer.json["type"] == "/problems/author-needed"
    assert (answer.headers["WWW-Authenticate"], answer.headers["Cache-Control"]) == ("Author", "no-store")
    assert ada.one()["status"] == "pending"


def test_nobody_keeps_the_answer(ada: Author) -> None:
    answer = ada.call("GET")
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"Origin", "Authorization"} <= set(answer.headers["Vary"].split(", "))


@pytest.fixture
def elsewhere(app: Flask) -> Site:
    return add_site("shop", [ELSEWHERE])


@pytest.mark.parametrize("origin", [ORIGIN, ELSEWHERE, "https://evil.example.com"])
def test_a_preflight_is_answered_for_the_pages_of_any_site(
    client: FlaskClient, site: Site, elsewhere: Site, origin: str
) -> None:
    headers = client.options("/v1/mine", headers={"Origin": origin}).headers
    assert headers.get("Access-Control-Allow-Origin") == (None if "evil" in origin else origin)
    assert "Origin" in headers["Vary"]
    if "evil" not in origin:
        assert headers["Access-Control-Allow-Methods"] == "DELETE, GET, PATCH"
        assert {"Authorization", "Content-Type", "If-Match"} <= set(headers["Access-Control-Allow-Headers"].split(", "))


def test_only_pages_of_the_holders_site_may_read(ada: Author, elsewhere: Site) -> None:
    own = ada.call("GET", {"Origin": ORIGIN}).headers
    assert own["Access-Control-Allow-Origin"] == ORIGIN
    for origin in (ELSEWHERE, "https://evil.example.com", "null"):
        answer = ada.call("GET", {"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_a_page_learns_that_a_token_is_dead(app: Flask, site: Site) -> None:
    answer = Author(app, "gra_dead").call("GET", {"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)


@pytest.mark.parametrize("origin", [ELSEWHERE, "https://evil.example.com", "null"])
def test_a_foreign_page_changes_nothing(ada: Author, held: str, elsewhere: Site, origin: str) -> None:
    before = ada.one()
    answers = [
        ada.call("PATCH", {"Origin": origin}, json={"id": held, "body": "Otherwise"}),
        ada.call("DELETE", {"Origin": origin}, query_string={"comment": held}),
        ada.call("DELETE", {"Origin": origin}, query_string={"everything": "true"}),
    ]
    assert [(one.status_code, one.json["type"]) for one in answers] == [(403, "/problems/origin-not-allowed")] * 3
    assert ada.one() == before


def test_each_address_has_a_limit(ada: Author, limited: Callable[[str], FlaskClient]) -> None:
    ada.client = limited("2/minute")
    assert [ada.call("GET").status_code for _ in range(3)] == [200, 200, 429]
    assert ada.call("PATCH", json={}).status_code == 429
