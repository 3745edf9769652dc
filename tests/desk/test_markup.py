"""Nothing that somebody typed runs, and nothing of ours is inline: read as a browser reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import text as sql
from werkzeug.test import TestResponse

from service import desk
from service.accounts import operations as accounts
from service.db import db, transaction
from service.desk.pages import CSP
from tests.desk.conftest import PASSWORD, Browser, fields, the_form, tree

Leave = Callable[..., UUID]

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea></title></style><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "<a href=javascript:alert(1)>x</a>",
    '" autofocus onfocus=alert(1) x="',
    "<div hx-get=/desk/sign-out hx-trigger=load data-hx-get=/x>",
    "<template hx type=partial hx-target=body>",
)
URLS = ("javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "https://x.example/\"onmouseover='alert(1)'")

OWN_SCRIPTS = {f"/desk/static/{one}.js" for one in ("vendor/htmx.min", "typed", "desk", "passkeys")}
URL_ATTRIBUTES = ("href", "src", "action", "formaction", "hx-post", "hx-get", "data", "poster", "xlink:href")


def faults(page: Element) -> list[str]:
    """What a page must not hold: foreign or inline scripts, styles, handlers, odd addresses."""
    found = []
    for one in page.iter():
        if one.tag == "script" and (one.get("src") not in OWN_SCRIPTS or "".join(one.itertext()).strip()):
            found.append(f"script {one.attrib}")
        if one.tag in ("style", "iframe", "object", "embed", "svg", "img", "base", "template"):
            found.append(str(one.tag))
        for name, value in one.attrib.items():
            scheme = re.match(r"\s*([a-z]+):", value, re.IGNORECASE)
            if name.startswith(("on", "data-hx", "hx-on", "hx-trigger")) or name == "style":
                found.append(f"{name}={value}")
            if name in URL_ATTRIBUTES and scheme and scheme[1].lower() not in ("http", "https", "mailto"):
                found.append(f"{name}={value}")
    return found


@pytest.mark.parametrize(
    "planted",
    [*HOSTILE[:3], HOSTILE[4], HOSTILE[6], "<p style='color:red'>", "<script src=https://evil.example/x.js></script>"],
)
def test_what_is_looked_for_would_be_found(planted: str) -> None:
    assert faults(tree(f"<title></title>{planted}"))


@pytest.fixture
def planted(comment: Leave, app: Flask) -> list[UUID]:
    """Comments with hostile text in every column that a text can be in, as a careless import might leave them."""
    parent = comment(name="Parent", body=HOSTILE[0])
    ids = [comment(body=f"{evil}\n\n[link](https://a{n}.example/)", page_title="x") for n, evil in enumerate(HOSTILE)]
    as_stored = (lambda one: one.hex) if db.engine.dialect.name == "sqlite" else str
    with db.engine.begin() as connection:
        for n, (one, evil) in enumerate(zip(ids, HOSTILE, strict=True)):
            values = {
                "id": as_stored(one),
                "parent": as_stored(parent),
                "evil": evil,
                "short": evil[:40],
                "url": URLS[n % 3],
            }
            for change in (
                "UPDATE comments SET name = :evil, website = :url, reason = :evil, parent_id = :parent WHERE id = :id",
                "UPDATE hold_reasons SET detail = :evil, code = :short WHERE comment_id = :id",
            ):
                connection.execute(sql(change), {name: values[name] for name in re.findall(r":(\w+)", change)})
        connection.execute(sql("UPDATE comments SET name = :evil WHERE parent_id IS NULL"), {"evil": HOSTILE[1]})
        connection.execute(sql("UPDATE sites SET name = :evil"), {"evil": HOSTILE[2]})
        connection.execute(sql("UPDATE pages SET title = :evil, url = :url"), {"evil": HOSTILE[5], "url": URLS[0]})
    return ids


def test_hostile_text_is_text_on_every_page(anna: Browser, planted: list[UUID]) -> None:
    for path in ("/desk/?status=all&limit=100", *(f"/desk/comments/{one}" for one in planted)):
        page = anna.get(path)
        assert page.status_code == 200 and faults(tree(page.text)) == [], path
    assert all(str(escape(evil)) in anna.get("/desk/").text for evil in HOSTILE)


def test_hostile_text_is_text_in_fragments(anna: Browser, planted: list[UUID]) -> None:
    page = anna.get("/desk/")
    for one, button in zip(planted, ["Approve", "Reject", "Spam", "Delete"] * 2, strict=True):
        answer = anna.htmx(page, button, within=f"c-{one}", reason=HOSTILE[0])
        assert answer.status_code == 200 and faults(tree(answer.text)) == []
        other = "Delete" if button == "Spam" else "Spam"  # the same once more would be no conflict
        again = anna.htmx(page, other, within=f"c-{one}", reason=HOSTILE[2], note=HOSTILE[1])
        assert again.status_code == 412 and faults(tree(again.text)) == []


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_text_in_an_address_or_form_is_text(anna: Browser, comment: Leave, evil: str) -> None:
    one = comment()
    for name in ("q", "reason", "back", "done", "sort"):
        assert faults(tree(anna.get("/desk/", query_string={name: evil}).text)) == []
        assert faults(tree(anna.get(f"/desk/comments/{one}", query_string={name: evil}).text)) == []
    page = anna.get(f"/desk/comments/{one}")
    refused = anna.press(page, "Save the text", body=evil + "x" * 10_001)
    assert refused.status_code == 422 and faults(tree(refused.text)) == []
    anna.press(page, "Save the text", body=evil)
    assert faults(tree(anna.get(f"/desk/comments/{one}").text)) == []


def test_a_hostile_moderators_name_is_text(app: Flask, open_browser: Any, comment: Leave, person: Any) -> None:
    moderator = person("Eve")
    with transaction():
        accounts.rename(moderator, HOSTILE[0], actor="test")
    eve, one = open_browser(), comment()
    eve.sign_in(moderator.email, PASSWORD)
    page = eve.get("/desk/")
    eve.press(page, "Approve", within=f"c-{one}")
    for answer in (page, eve.get(f"/desk/comments/{one}"), eve.press(page, "Spam", within=f"c-{one}")):
        assert faults(tree(answer.text)) == [] and str(escape(HOSTILE[0])) in answer.text


def test_htmx_looks_at_nothing_that_somebody_wrote(anna: Browser, comment: Leave) -> None:
    comment(body="[x](https://a.example)")
    said = [one for one in tree(anna.get("/desk/").text).iter("div") if one.get("class") == "said"]
    assert said and all("hx-ignore" in one.attrib for one in said)


def test_text_becomes_markup_at_one_place() -> None:
    room = Path(desk.__file__).parent
    templates = "".join(path.read_text() for path in room.rglob("*.html"))
    assert not re.search(r"\|\s*safe|autoescape|Markup", templates) and len(templates) > 5_000
    assert sum(path.read_text().count("Markup(") for path in room.glob("*.py")) == 1


def every_kind_of_page(anna: Browser, comment: Leave, open_browser: Any) -> dict[str, TestResponse]:
    one, two = comment(), comment()
    queue = anna.get("/desk/")
    form, _ = the_form(queue.text, "Approve", f"c-{one}")
    stranger = open_browser()
    found = {
        "queue": queue,
        "comment": anna.get(f"/desk/comments/{one}"),
        "fragment": anna.htmx(queue, "Approve", within=f"c-{one}"),
        "conflict": anna.press(queue, "Spam", within=f"c-{one}"),
        "conflict fragment": anna.htmx(queue, "Spam", within=f"c-{one}"),
        "flash": anna.get(f"/desk/?done={one}"),
        "revealed": anna.press(anna.get(f"/desk/comments/{two}"), "Show the address"),
        "refused": anna.press(anna.get(f"/desk/comments/{two}"), "Save the text", body=""),
        "forged": anna.post(form.get("action", ""), data=fields(form)),
        "missing": anna.get("/desk/nowhere"),
        "odd": anna.get("/desk/?status=odd"),
        "empty": anna.get("/desk/?status=deleted"),
        "account": anna.get("/desk/account"),
        "redirect": stranger.get("/desk/"),
        "sign-in": stranger.get("/desk/sign-in"),
        "sign-in again": stranger.sign_in("anna@desk.example.org", "wrong"),
    }
    statuses = {name: page.status_code for name, page in found.items()}
    assert [statuses[name] for name in ("conflict", "forged", "missing", "odd")] == [412, 403, 404, 422], statuses
    return found


def test_every_page_has_strict_headers(anna: Browser, comment: Leave, open_browser: Any) -> None:
    for name, page in every_kind_of_page(anna, comment, open_browser).items():
        headers = page.headers
        assert headers.getlist("Content-Security-Policy") == [CSP], name
        assert "unsafe" not in CSP and "default-src 'none'" in CSP
        assert headers["X-Frame-Options"] == "DENY" and headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert headers["Cache-Control"] == "no-store", name
        assert headers["X-Content-Type-Options"] == "nosniff", name


def test_no_page_holds_anything_inline(anna: Browser, comment: Leave, open_browser: Any) -> None:
    for name, page in every_kind_of_page(anna, comment, open_browser).items():
        assert faults(tree(page.text)) == [], name


def test_every_form_carries_its_token(anna: Browser, comment: Leave, open_browser: Any) -> None:
    seen = 0
    for name, page in every_kind_of_page(anna, comment, open_browser).items():
        for form in tree(page.text).iter("form"):
            if form.get("method") == "post":
                seen += 1
                assert fields(form).get("csrf_token"), name
    assert seen > 15
