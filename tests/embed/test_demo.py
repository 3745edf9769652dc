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
from tests.embed.browser import parse, values, visit, words

OURS = "http://127.0.0.1:8080"


@pytest.fixture
def demo(app: Flask) -> Site:
    return add_site("demo", [OURS], rating_max=10.0, schema_type="TVSeries")


def test_the_review_has_the_tag_and_a_link_for_whoever_cannot_run_it(client: FlaskClient, demo: Site) -> None:
    page = parse(visit(client, "/").text)

    tag = page.find(".//greenroom-thread")
    assert tag is not None and (tag.get("site"), tag.get("page")) == ("demo", "/")
    link = tag.find("a")
    assert link is not None
    there = parse(visit(client, link.get("href", "")).text)
    assert values(there)["page"] == "/" and values(there)["page_title"] == "The Salt Ledger"


def test_the_review_loads_nothing_from_elsewhere(client: FlaskClient, demo: Site) -> None:
    answer = visit(client, "/")

    page = parse(answer.text)
    assert "default-src 'none'; script-src 'self'; connect-src 'self'" in answer.headers["Content-Security-Policy"]
    assert page.find(".//img") is None and page.find(".//style") is None
    assert [(one.get("src"), one.text) for one in page.iter("script")] == [("/widget.js", None)]
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
