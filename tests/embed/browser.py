"""A browser without JavaScript, as far as these tests need one: it reads pages, fills in forms and sends them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db
from tests.support import PAGE

HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
TYPED = {"name": "Ada", "email": "ada@mail.example.org", "body": "What a *fine* series."}


def parse(text: str) -> Element:
    """The page as a browser understands it. Anything that a browser would have to mend is a failure."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root: Element = parser.parse(text)
    mended = [error for error in parser.errors if error[1] != "expected-doctype-but-got-start-tag"]
    assert not mended, mended
    names = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(names) == len(set(names)), names
    return root


def visit(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
    return client.get(path, query_string=query or None, headers=HTML | (headers or {}))


def thread(client: FlaskClient, site: str = "blog", page: str = PAGE, **query: Any) -> Element:
    answer = visit(client, f"/embed/{site}", page=page, **query)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def by_id(root: Element, name: str) -> Element:
    found = root.find(f".//*[@id='{name}']")
    assert found is not None, f"nothing has the id {name}"
    return found


def words(root: Element) -> str:
    """What the page says, scripts left out."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag == "script":
                child.text = ""
    return " ".join("".join(root.itertext()).split())


def values(root: Element) -> dict[str, str]:
    """What the comment form would send as it stands."""
    form = by_id(root, "greenroom-form")
    sent: dict[str, str] = {}
    for one in form.iter():
        name, kind = one.get("name"), one.get("type", "text")
        if one.tag == "textarea" and name:
            sent[name] = one.text or ""
        elif one.tag == "input" and name and (kind != "radio" or one.get("checked") is not None):
            sent[name] = one.get("value", "")
    return sent


def send(client: FlaskClient, sent: dict[str, str], headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
    site = more.pop("site", "blog")
    return client.post(f"/embed/{site}/comments", data=sent, headers=HTML | (headers or {}), **more)


def fill_in(client: FlaskClient, site: str = "blog", page: str = PAGE, **typed: str) -> TestResponse:
    """Open the form, type, and press the button."""
    answer = visit(client, f"/embed/{site}/form", page=page)
    return send(client, values(parse(answer.text)) | TYPED | typed, site=site)


def landing(answer: TestResponse) -> dict[str, Any]:
    """Where a form that was taken leads: `at` (host and path), `query`, `anchor`."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["Location"])
    return {"at": f"{parts.netloc}{parts.path}", "query": parse_qs(parts.query), "anchor": parts.fragment}


def the_one() -> Comment:
    """The only comment that is stored."""
    return db.session.query(Comment).one()


def publish(client: FlaskClient, **typed: str) -> str:
    """Leave a comment on a site that publishes at once; its id."""
    return str(landing(fill_in(client, **typed))["anchor"].removeprefix("comment-"))
