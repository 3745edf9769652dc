"""What whoever draws a form of their own is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.comments import formtoken
from service.db import db, now, transaction
from service.sites import operations as sites
from service.sites import queries
from service.sites.addresses import canonical
from service.sites.models import Site
from tests.conftest import ORIGIN
from tests.support import PAGE, post


def told(client: FlaskClient, page: str = PAGE) -> dict[str, Any]:
    answer = client.get("/v1/sites/blog/form", query_string={"page": page})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def change(site: Site, **values: Any) -> None:
    with transaction():
        sites.change_site(db.session.merge(site), values, actor="test")


def test_a_site_with_nothing_set_says_what_is_so_everywhere(client: FlaskClient, site: Site) -> None:
    form = told(client)
    assert {**form, "token": "", "privacy": ""} == {
        "token": "", "language": "en", "scale": None, "privacy": "", "closed": None,
    }  # fmt: skip
    assert form["privacy"]["url"] is None
    assert form["privacy"]["text"].endswith("are kept for moderators only, and forgotten after 365 days.")


def test_scale_language_and_privacy_are_the_sites(client: FlaskClient, site: Site) -> None:
    change(
        site, rating_max=10.0, rating_halves=True, language="de", privacy_text="We keep it.",
        privacy_url="https://blog.example.org/privacy",
    )  # fmt: skip
    form = told(client)
    assert form["scale"] == {"maximum": 10.0, "step": 0.5}
    assert form["language"] == "de"
    assert form["privacy"] == {
        "text": "We keep it.", "own": True, "days": 365, "url": "https://blog.example.org/privacy",
    }  # fmt: skip


def test_the_token_is_the_sites_and_says_when_it_was_drawn(client: FlaskClient, site: Site) -> None:
    age = formtoken.age(site, told(client)["token"], max_hours=1)
    assert age is not None
    assert age < 60


def test_a_comment_with_the_token_is_taken_as_from_a_form(client: FlaskClient, site: Site) -> None:
    change(site, mode="post")
    assert post(client, form_token=told(client)["token"]).status_code == 201


def test_a_closed_page_says_since_when(client: FlaskClient, site: Site) -> None:
    change(site, mode="post")
    post(client)
    page = queries.page_at(site, canonical(PAGE, origins=[ORIGIN]).key)
    assert page is not None
    with transaction():
        sites.change_page(page, actor="test", closed=True)
    assert told(client)["closed"] == f"Comments on this page closed on {now():%-d %B %Y}."
    assert told(client, "/another")["closed"] is None


def test_a_page_closed_by_its_age_says_so(client: FlaskClient, site: Site) -> None:
    post(client)
    page = queries.page_at(site, canonical(PAGE, origins=[ORIGIN]).key)
    assert page is not None
    with transaction():
        page.created_at = now() - timedelta(days=40)
    change(site, close_after_days=30)
    assert told(client)["closed"].endswith(", 30 days after they opened.")


def test_nobody_keeps_it_and_the_sites_own_pages_may_read_it(client: FlaskClient, site: Site) -> None:
    answer = client.get(f"/v1/sites/blog/form?page={PAGE}", headers={"Origin": ORIGIN})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    foreign = client.get(f"/v1/sites/blog/form?page={PAGE}", headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in foreign.headers


@pytest.mark.parametrize("query", ["", "?page=", "?page=https://other.example.org/", f"?page={PAGE}&odd=1"])
def test_a_page_that_is_none_of_the_sites_is_refused(client: FlaskClient, site: Site, query: str) -> None:
    assert client.get(f"/v1/sites/blog/form{query}").status_code == 422
