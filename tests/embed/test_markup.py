"""Nothing that anybody types becomes markup: not in the thread, not in the form, not in the data for searchers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from markupsafe import Markup

from service.app import create_app
from service.comments.rendering import render
from service.config import Settings
from service.embed.drawing import WORDS
from service.embed.forms import Form, Terms
from service.embed.section import Links, Section
from service.sites.models import Site
from service.sites.operations import Scale
from tests.embed.browser import TYPED, by_id, parse, publish, send, thread, values, visit
from tests.support import PAGE

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "</title><svg onload=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "<!--<script>",
    "]]><iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7 * 7 }}{% raw %}",
    "[x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a>",
    "<base href=//evil.example><form action=//evil.example><button>",
    "\u2028</ScRiPt\u2029><style>*{display:none}</style>",
]
_ELEMENTS = """
html head meta title link body main header section article h1 h2 p b span a time div ol ul li svg rect path g defs
use nav table caption thead tbody tr th td form label input textarea button fieldset legend script
em strong code pre blockquote hr br i del s
"""
_ATTRIBUTES = """
lang charset name content rel href id class role aria-labelledby aria-hidden aria-label aria-describedby aria-invalid
aria-current viewBox width height focusable fill d x preserveAspectRatio scope datetime type method action
accept-charset for value checked required rows inputmode autocomplete autocapitalize spellcheck tabindex
formnovalidate start
"""
ELEMENTS, ATTRIBUTES = set(_ELEMENTS.split()), set(_ATTRIBUTES.split())
"""What our templates and the sanitiser write."""


def foreign(root: Element) -> list[str]:
    """What stands on the page that our templates and the sanitiser never write."""
    found = []
    for one in root.iter():
        if not isinstance(one.tag, str):
            found.append("a comment")
            continue
        tag = one.tag.removeprefix("{http://www.w3.org/2000/svg}")
        found += [tag] if tag not in ELEMENTS else []
        found += [f"{tag} {name}" for name in one.attrib if name not in ATTRIBUTES]
        href = one.get("href") or one.get("action") or "#"
        leads = href.startswith(("#", "/", "http://", "https://", "mailto:")) and not href.startswith("//")
        found += [] if leads else [href]
        if tag == "script":
            found += [] if one.get("type") == "application/ld+json" else ["a script"]
            json.loads(one.text or "")
    return found


def section(texts: list[str]) -> Section:
    """A thread in which every text is everything at once: name, website, body and title."""
    comments = [
        {
            "id": f"{n:036}", "parent_id": None, "html": render(text), "rating": 7.0, "edited_at": None,
            "author": {"name": text, "website": f"https://a.example/?{text}", "avatar": "0" * 16, "is_moderator": 0},
            "created_at": "2026-03-04T05:06:07.000Z", "replies": [], "replies_next": None,
        }
        for n, text in enumerate(texts)
    ]  # fmt: skip
    text = texts[0]
    rating = {"average": 7.0, "count": 1, "best": 10.0, "worst": 1.0, "histogram": [{"value": 7.0, "count": 1}]}
    page = {"title": text, "url": None, "comment_count": len(texts), "rating": rating}
    terms = Terms("blog", name=text, scale=Scale(10.0, False), schema_type="Movie", privacy_text=text)
    form = Form(terms, {"page": text, "name": text, "body": text, "email": text}, "/embed/blog/comments")
    document = {"page": page, "comments": comments, "next": None}
    return Section(terms, document, Links("embed.thread", {"site": "blog", "page": text}), form)


def drawn(app: Flask, texts: list[str]) -> Element:
    with app.test_request_context("/"):
        text = render_template_string("{% include 'embed/thread.html' %}", section=section(texts), **WORDS)
    root: Element = html5lib.parse(text, namespaceHTMLElements=False)
    return root


@pytest.fixture(scope="module")
def no_database(settings: Settings) -> Flask:
    """The app, for templates alone."""
    return create_app(settings)


def test_no_payload_of_the_corpus_becomes_markup(no_database: Flask, shared: Path) -> None:
    corpus = json.loads((shared / "corpora/combined/xss_permissive.json").read_text())
    texts = [one["p"] for one in corpus][::25]
    assert len(texts) > 400

    for start in range(0, len(texts), 50):
        some = texts[start : start + 50]
        root = drawn(no_database, some)
        assert foreign(root) == []
        assert len(list(root.iter("article"))) == len(some)


def test_the_check_for_markup_finds_markup(no_database: Flask) -> None:
    spoilt: list[Any] = [Markup("<img src=x onerror=alert(1)>")]

    assert {"img", "img onerror"} <= set(foreign(drawn(no_database, spoilt)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_typed_comes_back_as_text(client: FlaskClient, open_site: Site, payload: str) -> None:
    sent = TYPED | {"page": PAGE, "name": payload, "body": payload, "page_title": payload, "website": payload}
    sent |= {"email": payload, "rating": payload, "parent_id": payload, "redirect_to": payload}

    answer = send(client, sent)

    page = html5lib.parse(answer.text, namespaceHTMLElements=False)
    assert answer.status_code == 422 and foreign(page) == []
    assert values(page)["email"] == payload


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_published_is_text(client: FlaskClient, open_site: Site, payload: str) -> None:
    name = payload.replace("\u2028", "").replace("\u2029", "")[:80]
    publish(client, name=name, body=payload, page_title=name, rating="7", website="https://example.org/?a&b")

    page = thread(client)

    assert foreign(page) == []
    shown = page.find(".//b[@class='gr-name']")
    assert shown is not None and "".join(shown.itertext()).strip() == name


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_an_address_says_is_text(client: FlaskClient, open_site: Site, payload: str) -> None:
    for name in ("page", "page_title", "redirect_to", "lang", "sort", "cursor"):
        query = {"page": PAGE} | {name: payload}
        answer = visit(client, "/embed/blog", **query)

        assert answer.status_code in (200, 422)
        assert foreign(html5lib.parse(answer.text, namespaceHTMLElements=False)) == []


def data(page: Element) -> Any:
    script = page.find(".//script")
    return None if script is None else json.loads(script.text or "")


def test_searchers_are_told_the_average_and_every_review(client: FlaskClient, open_site: Site) -> None:
    publish(client, rating="8", page_title="The Blacksmith", body="What a *fine* </script> series.")

    found = data(thread(client))

    item = {"@type": "TVSeries", "name": "The Blacksmith", "url": "https://blog.example.org/reviews/blacksmith"}
    total, review = found["@graph"]
    assert found["@context"] == "https://schema.org"
    assert total == {
        "@type": "AggregateRating", "itemReviewed": item, "ratingValue": 8.0, "ratingCount": 1,
        "bestRating": 10.0, "worstRating": 1.0,
    }  # fmt: skip
    assert review["author"] == {"@type": "Person", "name": "Ada"}
    assert review["reviewBody"] == "What a fine </script> series."
    assert review["reviewRating"] == {"@type": "Rating", "ratingValue": 8.0, "bestRating": 10.0, "worstRating": 1.0}


def test_no_text_can_end_the_script(client: FlaskClient, open_site: Site) -> None:
    publish(client, rating="8", page_title="</script><!-- & ]]>", body="a </script> b & c")

    text = visit(client, "/embed/blog", page=PAGE).text

    inside = text.split('<script type="application/ld+json">')[1].split("</script>\n</section>")[0]
    assert not set("<>&\u2028\u2029") & set(inside)
    assert "\\u003c/script\\u003e" in inside


def test_searchers_are_told_nothing_without_ratings(client: FlaskClient, open_site: Site) -> None:
    publish(client, page_title="The Blacksmith")

    assert data(thread(client)) is None


def test_the_form_of_a_page_with_a_title_is_no_script(client: FlaskClient, open_site: Site) -> None:
    page = parse(visit(client, "/embed/blog/form", page="x", page_title="<b>").text)

    assert values(page)["page_title"] == "<b>" and by_id(page, "greenroom-form").tag == "form"
