"""The front page: a review to try comments on, and in production a word about the service."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.db import transaction
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import open_page
from tests.conftest import add_site
from tests.embed.browser import TYPED, by_id, landing, parse, send, values, visit, words

OURS = "http://127.0.0.1:8080"


@pytest.fixture
def demo(app: Flask) -> Site:
    return add_site("demo", [OURS], rating_max=10.0, schema_type="TVSeries")


def test_a_comment_on_the_review_is_held_and_the_review_says_so(client: FlaskClient, demo: Site) -> None:
    form = values(parse(visit(client, "/").text))

    answer = send(client, form | TYPED | {"rating": "9"}, site="demo", headers={"Origin": OURS})

    there = landing(answer)
    assert (there["at"], there["anchor"]) == ("127.0.0.1:8080/", "greenroom")
    assert "Your comment waits for a moderator." in words(parse(visit(client, "/?greenroom=held").text))


def test_a_published_comment_stands_below_the_review(client: FlaskClient, app: Flask) -> None:
    add_site("demo", [OURS], mode="post", rating_max=10.0)
    form = values(parse(visit(client, "/").text))

    there = landing(send(client, form | TYPED, site="demo"))

    page = parse(visit(client, "/").text)
    assert there["at"] == "127.0.0.1:8080/"
    assert "What a fine series." in words(by_id(page, there["anchor"]))
    reply = by_id(page, there["anchor"]).find(".//p[@class='gr-actions']/a")
    assert reply is not None and reply.get("href", "").startswith("/?reply=")


def test_the_review_loads_nothing_from_elsewhere(client: FlaskClient, demo: Site) -> None:
    answer = visit(client, "/")

    page = parse(answer.text)
    assert "font-src 'self'" in answer.headers["Content-Security-Policy"]
    assert page.find(".//script") is None and page.find(".//img") is None
    for sheet in page.findall(".//link[@rel='stylesheet']"):
        assert visit(client, sheet.get("href", "")).status_code == 200


def test_the_fonts_of_the_review_are_served(client: FlaskClient, demo: Site) -> None:
    sheets = [one.get("href", "") for one in parse(visit(client, "/").text).findall(".//link[@rel='stylesheet']")]
    folder = sheets[-1].rpartition("/")[0]

    font = visit(client, f"{folder}/newsreader.woff2")

    assert (font.status_code, font.mimetype) == (200, "font/woff2")
    assert "newsreader.woff2" in visit(client, sheets[-1]).text


def test_without_the_demo_site_the_front_page_names_the_service(client: FlaskClient, site: Site) -> None:
    page = parse(visit(client, "/").text)

    assert words(page.find(".//h1")) == "Greenroom"  # type: ignore[arg-type]
    assert [one.get("href") for one in page.iter("a")] == ["/desk", "/docs"]


def test_production_shows_no_review(
    client: FlaskClient, app: Flask, demo: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["greenroom_settings"], env="production")
    monkeypatch.setitem(app.extensions, "greenroom_settings", settings)

    assert words(parse(visit(client, "/").text).find(".//h1")) == "Greenroom"  # type: ignore[arg-type]


OLD = "/2019/05/caf%C3%A9/?p=7"


@pytest.fixture
def imported(demo: Site) -> Site:
    """The demo with a page that stands nowhere, as an import leaves it."""
    with transaction():
        open_page(demo, canonical(OLD, origins=[OURS]), "An old review", actor="test")
    return demo


def test_where_an_imported_page_would_be_the_demo_leads_to_its_comments(client: FlaskClient, imported: Site) -> None:
    answer = visit(client, OLD)

    page = parse(answer.text)
    link = page.find(".//main//a")
    assert answer.status_code == 404 and link is not None
    assert "The demo has the comments of this page, but not the page itself." in words(page)
    back = parse(visit(client, link.get("href", "")).text).find(".//header[@class='gr-top']/p/a")
    assert back is not None and visit(client, back.get("href", "").removeprefix(OURS)).text == answer.text


@pytest.mark.parametrize("path", ["/2019/05/unknown/", "/%5Cx", "/v1/nothing", "/%E2%80%8E"])
def test_nothing_else_leads_anywhere(client: FlaskClient, imported: Site, path: str) -> None:
    answer = visit(client, path)

    assert answer.status_code == 404 and parse(answer.text).find(".//a") is None


def test_production_leads_to_no_comments(
    client: FlaskClient, app: Flask, imported: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["greenroom_settings"], env="production")
    monkeypatch.setitem(app.extensions, "greenroom_settings", settings)

    answer = visit(client, OLD)

    assert answer.status_code == 404 and parse(answer.text).find(".//a") is None
