"""Whatever goes wrong with a form, its words come back in it, and the page says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from service.app import create_app
from service.comments.models import Comment
from service.db import db, transaction
from service.embed import routes
from service.sites import origins, queries
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import change_page
from tests.conftest import ORIGIN
from tests.embed.browser import HTML, TYPED, by_id, fill_in, parse, send, thread, values, visit, words
from tests.support import PAGE

EVERYTHING = TYPED | {"website": "https://ada.example.org", "rating": "7", "redirect_to": f"{ORIGIN}/back"}
WRONG = {
    "name": [("", "Please write something here."), ("x" * 81, "At most 80 characters")],
    "email": [("", "e-mail address"), ("nobody", "e-mail address"), ("a@b", "e-mail address")],
    "body": [("", "Please write something first."), ("x" * 10_001, "at most 10,000 characters")],
    "website": [("javascript:alert(1)", "https://"), ("ftp://example.org", "https://")],
    "rating": [("11", "Rate from 1 to 10"), ("many", "a number"), ("-1", "a number"), ("1e9", "a number")],
}
CASES = [(name, typed, sentence) for name, cases in WRONG.items() for typed, sentence in cases]


@pytest.fixture
def strict(migrated: Flask, app: Flask) -> Iterator[FlaskClient]:
    """The app with a limit of one comment an hour."""
    settings = replace(app.extensions["greenroom_settings"], limits_enabled=True, limit_submit="1/hour")
    other = create_app(settings)
    with other.app_context():
        yield other.test_client()
        db.session.remove()
        db.engine.dispose()


def kept(text: str, sent: dict[str, str]) -> None:
    """The form holds everything that was sent, apart from its time token, which is a fresh one."""
    found = values(parse(text))
    assert {name: found.get(name) for name in sent if name != "form_token"} == {
        name: value for name, value in sent.items() if name != "form_token"
    }


@pytest.mark.parametrize(("name", "typed", "sentence"), CASES)
def test_a_wrong_field_is_marked_and_every_word_is_kept(
    client: FlaskClient, open_site: Site, name: str, typed: str, sentence: str
) -> None:
    sent = EVERYTHING | {"page": PAGE, name: typed}

    answer = send(client, sent)

    page = parse(answer.text)
    assert answer.status_code == 422
    if name != "rating":  # a wrong rating is on no button
        kept(answer.text, sent)
        assert by_id(page, f"gr-{name}").get("aria-invalid") == "true"
    assert sentence in words(by_id(page, f"gr-{name}-error"))
    assert f"gr-{name}-error" in (by_id(page, f"gr-{name}").get("aria-describedby") or "").split()
    link = by_id(page, "greenroom-problem").find(f".//a[@href='#gr-{name}']")
    assert link is not None and sentence in words(link)
    assert db.session.query(Comment).count() == 0


def test_an_empty_form_is_told_about_every_required_field(client: FlaskClient, site: Site) -> None:
    answer = send(client, {"page": PAGE})

    links = [one.get("href") for one in by_id(parse(answer.text), "greenroom-problem").iter("a")]
    assert links == ["#gr-body", "#gr-name", "#gr-email"]


def test_a_form_that_is_mended_is_taken(client: FlaskClient, site: Site) -> None:
    refused = fill_in(client, email="nobody")

    answer = send(client, values(parse(refused.text)) | {"email": TYPED["email"]})

    assert answer.status_code == 303


def test_a_mended_form_carries_a_fresh_time_token(client: FlaskClient, open_site: Site) -> None:
    refused = send(client, TYPED | {"page": PAGE, "email": "nobody"})

    answer = send(client, values(parse(refused.text)) | {"email": TYPED["email"]})

    assert "posted=approved" in answer.headers["Location"]


def test_saying_it_twice_is_told_kindly(client: FlaskClient, open_site: Site) -> None:
    fill_in(client)

    answer = fill_in(client, rating="7")

    assert answer.status_code == 409
    assert "You have already said that here." in words(by_id(parse(answer.text), "greenroom-problem"))
    kept(answer.text, TYPED | {"page": PAGE, "rating": "7"})


def test_a_closed_thread_says_why_and_keeps_the_words(client: FlaskClient, open_site: Site) -> None:
    fill_in(client)
    with transaction():
        page = queries.page_at(open_site, canonical(PAGE, origins=[ORIGIN]).key)
        assert page is not None
        change_page(page, actor="test", closed=True)

    answer = send(client, EVERYTHING | {"page": PAGE, "body": "Too late?"})

    assert answer.status_code == 403
    assert "Comments on this page closed on" in words(parse(answer.text))
    kept(answer.text, EVERYTHING | {"page": PAGE, "body": "Too late?"})
    assert thread(client).find(".//form") is None


def test_a_limit_keeps_the_words_and_says_when_to_come_back(strict: FlaskClient, open_site: Site) -> None:
    send(strict, TYPED | {"page": PAGE})

    answer = send(strict, EVERYTHING | {"page": PAGE, "body": "Another."})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "You can try again in" in words(parse(answer.text))
    kept(answer.text, EVERYTHING | {"page": PAGE, "body": "Another."})


def away(*_: Any, **__: Any) -> Any:
    raise OperationalError("SELECT", {}, Exception("gone"))


def test_a_database_that_fails_midway_keeps_the_words(
    client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "accept", away)

    answer = send(client, EVERYTHING | {"page": PAGE})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    kept(answer.text, EVERYTHING | {"page": PAGE})


def test_a_database_that_is_away_from_the_start_keeps_the_words(
    client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins.queries, "site_of", away)

    answer = send(client, EVERYTHING | {"page": PAGE})

    assert answer.status_code == 503
    kept(answer.text, EVERYTHING | {"page": PAGE})


def test_what_comes_back_is_for_one_person(client: FlaskClient, site: Site) -> None:
    answer = fill_in(client, email="nobody")

    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_that_is_too_large_is_refused(client: FlaskClient, site: Site) -> None:
    answer = send(client, TYPED | {"page": PAGE, "body": "x" * 300_000})

    assert answer.status_code == 413


def test_a_form_as_large_as_it_may_be_in_any_script_is_taken(client: FlaskClient, site: Site) -> None:
    answer = fill_in(client, body="𝒳" * 10_000)

    assert answer.status_code == 303


@pytest.mark.parametrize("page", ["", "https://elsewhere.example/x", "//x", "http://[", "a\u200eb"])
def test_a_page_that_cannot_be_is_a_sentence(client: FlaskClient, site: Site, page: str) -> None:
    asked, sent = visit(client, "/embed/blog", page=page), send(client, TYPED | {"page": page})

    assert (asked.status_code, sent.status_code) == (422, 422)
    assert words(parse(asked.text)) and words(by_id(parse(sent.text), "greenroom-problem"))


def test_an_unknown_site_is_a_page_of_its_own(client: FlaskClient, site: Site) -> None:
    answer = send(client, TYPED | {"page": PAGE}, site="nowhere")

    assert answer.status_code == 404
    assert "There is no site by that name." in words(parse(answer.text))


def test_a_program_gets_the_problem_as_json(client: FlaskClient, site: Site) -> None:
    answer = client.post("/embed/blog/comments", data={"page": PAGE}, headers={"Accept": "application/json"})

    assert answer.content_type == "application/problem+json"
    assert HTML["Accept"] != "application/json" and set(answer.json["errors"]) == {"name", "email", "body"}
