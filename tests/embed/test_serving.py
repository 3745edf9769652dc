"""How thread pages, fragments and style sheets are served: policy, keeping, languages, other origins."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from service.db import now
from service.sites.models import Site
from tests.conftest import ORIGIN
from tests.embed.browser import by_id, parse, publish, send, thread, values, visit, words
from tests.support import PAGE

OURS = "http://127.0.0.1:8080"


def test_the_page_may_load_little_and_be_framed_by_the_site_alone(client: FlaskClient, site: Site) -> None:
    answer = visit(client, "/embed/blog", page=PAGE)

    assert answer.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'self'; form-action 'self' {ORIGIN}; frame-ancestors {ORIGIN}; base-uri 'none'"
    )
    assert "X-Frame-Options" not in answer.headers and "Set-Cookie" not in answer.headers


def test_an_unchanged_page_is_not_sent_again(client: FlaskClient, open_site: Site) -> None:
    first = visit(client, "/embed/blog", page=PAGE)
    with time_machine.travel(now() + timedelta(seconds=5), tick=False):
        again = visit(client, "/embed/blog", {"If-None-Match": first.headers["ETag"]}, page=PAGE)
        fresh = visit(client, "/embed/blog", page=PAGE)
    assert (again.status_code, again.data) == (304, b"")
    assert values(parse(first.text))["form_token"] != values(parse(fresh.text))["form_token"]

    publish(client)
    changed = visit(client, "/embed/blog", {"If-None-Match": first.headers["ETag"]}, page=PAGE)

    assert changed.status_code == 200


def test_a_kept_page_is_renewed_before_its_form_is_too_old(client: FlaskClient, open_site: Site) -> None:
    first = visit(client, "/embed/blog", page=PAGE)

    with time_machine.travel(now() + timedelta(hours=12, seconds=1), tick=False):
        later = visit(client, "/embed/blog", {"If-None-Match": first.headers["ETag"]}, page=PAGE)

    assert later.status_code == 200


def test_the_form_alone_is_never_kept(client: FlaskClient, site: Site) -> None:
    answer = visit(client, "/embed/blog/form", page=PAGE)

    assert answer.headers["Cache-Control"] == "no-store"
    assert values(parse(answer.text))["form_token"]


@pytest.mark.parametrize(("origin", "named"), [(ORIGIN, ORIGIN), ("https://evil.example", None), (None, None)])
def test_only_the_site_may_read_the_page_from_a_script(
    client: FlaskClient, site: Site, origin: str | None, named: str | None
) -> None:
    answer = visit(client, "/embed/blog", {"Origin": origin} if origin else None, page=PAGE, fragment=1)

    assert answer.headers.get("Access-Control-Allow-Origin") == named
    assert "Origin" in answer.headers["Vary"]


def test_a_fragment_is_bare_and_leads_home(client: FlaskClient, open_site: Site) -> None:
    publish(client)

    text = visit(client, "/embed/blog", page=PAGE, fragment=1).text

    page = parse(f"<!doctype html><html><head><title>Host</title></head><body>{text}</body></html>")
    assert "<html" not in text and "<body" not in text
    assert by_id(page, "greenroom-form").get("action") == f"{OURS}/embed/blog/comments"
    assert values(page)["redirect_to"] == f"{ORIGIN}{PAGE}"
    hrefs = [one.get("href", "") for one in page.iter() if one.tag in ("a", "link")]
    assert all(one.startswith((OURS, "#")) for one in hrefs)


def test_a_fragment_may_be_stored_so_its_form_is_held(client: FlaskClient, open_site: Site) -> None:
    page = parse(f"<!doctype html>{visit(client, '/embed/blog', page=PAGE, fragment=1).text}")
    sent = values(page)

    answer = send(client, sent | {"name": "Ada", "email": "ada@mail.example.org", "body": "Hello."})

    assert "form_token" not in sent
    assert answer.headers["Location"] == f"{ORIGIN}{PAGE}?greenroom=held#greenroom"


def test_a_reply_link_of_a_fragment_leads_to_a_fresh_form(client: FlaskClient, open_site: Site) -> None:
    publish(client)
    fragment = parse(f"<!doctype html>{visit(client, '/embed/blog', page=PAGE, fragment=1).text}")
    link = fragment.find(".//p[@class='gr-actions']/a")
    assert link is not None

    form = parse(visit(client, link.get("href", "").removeprefix(OURS)).text)

    assert words(by_id(form, "gr-form-title")) == "Reply to Ada"
    assert values(form)["redirect_to"] == f"{ORIGIN}{PAGE}"


def test_names_in_the_address_that_are_not_ours_are_ignored(client: FlaskClient, site: Site) -> None:
    assert visit(client, "/embed/blog", page=PAGE, utm_source="x", greenroom="held").status_code == 200


@pytest.mark.parametrize("query", [{}, {"page": ""}, {"page": PAGE, "cursor": "x"}, {"page": PAGE, "reply": "x"}])
def test_an_address_that_cannot_be_is_a_page_with_a_sentence(
    client: FlaskClient, site: Site, query: dict[str, str]
) -> None:
    answer = visit(client, "/embed/blog", **query)

    assert answer.status_code == 422
    assert "Please check the marked fields." in words(parse(answer.text))


def test_the_style_sheet_is_kept_for_ever_under_its_digest(client: FlaskClient, site: Site) -> None:
    link = thread(client).find(".//link[@rel='stylesheet']")
    assert link is not None
    href = link.get("href", "")

    present, old = visit(client, href), visit(client, "/style/0123456789abcdef/embed.css")

    assert "immutable" in present.headers["Cache-Control"] and present.mimetype == "text/css"
    assert present.data == old.data and "immutable" not in old.headers["Cache-Control"]
    assert visit(client, "/style/0123456789abcdef/nothing.css").status_code == 404


def test_the_language_of_the_comments_is_the_sites_or_asked_for(client: FlaskClient, open_site: Site) -> None:
    publish(client)

    own = thread(client).find(".//ol[@class='gr-thread']")
    asked = thread(client, lang="de-AT").find(".//ol[@class='gr-thread']")

    assert own is not None and asked is not None
    assert (own.get("lang"), asked.get("lang")) == ("en", "de-AT")
