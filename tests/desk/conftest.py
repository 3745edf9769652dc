"""A browser without JavaScript: it follows links, fills in forms, presses buttons, and nothing else."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.comments.models import Comment
from service.db import db, transaction
from service.sites.models import Site
from tests.support import post

HOME = "http://127.0.0.1:8080"
PASSWORD = "correct horse battery"


def tree(markup: str) -> Element:
    """A page or fragment as a browser's parser reads it."""
    found: Element = html5lib.parse(markup, namespaceHTMLElements=False)
    return found


def text(element: Element) -> str:
    """The words of an element, white space as one blank."""
    return " ".join(" ".join(element.itertext()).split())


def words(answer: TestResponse) -> str:
    """The words of a page that a person sees."""
    main = tree(answer.text).find(".//main")
    assert main is not None, answer.text
    return text(main)


class Browser(FlaskClient):
    """Sends what a browser sends from our own pages; each request in a context of its own."""

    def open(self, *args: Any, **more: Any) -> Any:
        more["headers"] = {"Accept": "text/html"} | dict(more.get("headers") or {})
        return contextvars.Context().run(super().open, *args, **more)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        page = self.get("/desk/sign-in")
        return self.press(page, "Sign in", email=email, password=password)

    def press(self, page: TestResponse, button: str, within: str | None = None, **typed: str) -> TestResponse:
        """Fill in the form that has the button, inside the element `within` (an id), and send it."""
        form, pressed = the_form(page.text, button, within)
        data = fields(form) | typed
        if pressed.get("name"):
            data[pressed.get("name", "")] = pressed.get("value", "")
        assert form.get("method") == "post"
        return self.post(form.get("action", ""), data=data, headers={"Origin": HOME})

    def htmx(self, page: TestResponse, button: str, within: str | None = None, **typed: str) -> TestResponse:
        """The same as htmx sends it."""
        form, pressed = the_form(page.text, button, within)
        body = tree(page.text).find("body")
        assert body is not None and '"X-CSRFToken"' in body.get("hx-headers:inherited", "")
        data = fields(form) | typed | {pressed.get("name", ""): pressed.get("value", "")}
        headers = {"Origin": HOME, "HX-Request": "true", "HX-Current-URL": f"{HOME}/desk/?status=pending"}
        return self.post(form.get("hx-post", ""), data=data, headers=headers)


def the_form(page: str, button: str, within: str | None) -> tuple[Element, Element]:
    inside = tree(page)
    if within:
        inside = next(one for one in inside.iter() if one.get("id") == within)
    for form in inside.iter("form"):
        for one in form.iter("button"):
            if text(one) == button:
                return form, one
    raise AssertionError(f"no button {button!r} in {text(inside)}")


def fields(form: Element) -> dict[str, str]:
    """What the form holds as it is."""
    found = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("name")}
    return found | {one.get("name", ""): (one.text or "").removeprefix("\n") for one in form.iter("textarea")}


@pytest.fixture
def open_browser(app: Flask) -> Callable[[], Browser]:
    return lambda: Browser(app, app.response_class, use_cookies=True)


@pytest.fixture
def person(app: Flask, site: Site) -> Callable[..., Moderator]:
    """Make somebody with a role on the site (or another one)."""

    def make(name: str, role: str | None = "moderator", on: UUID | None = None) -> Moderator:
        with transaction():
            made = accounts.add_moderator(f"{name.lower()}@desk.example.org", name, PASSWORD, actor="test")
            if role:
                accounts.grant(made, on or site.id, role, actor="test")
        return made

    return make


@pytest.fixture
def signed_in(open_browser: Callable[[], Browser], person: Callable[..., Moderator]) -> Callable[..., Browser]:
    """A browser in which somebody is signed in."""

    def make(name: str, role: str | None = "moderator", on: UUID | None = None) -> Browser:
        moderator = person(name, role, on)
        browser = open_browser()
        answer = browser.sign_in(moderator.email)
        assert answer.status_code in (302, 303), answer.text
        return browser

    return make


@pytest.fixture
def anna(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Anna")


@pytest.fixture
def comment(client: FlaskClient, site: Site) -> Callable[..., UUID]:
    """Leave a comment on the site as a visitor; its id."""
    count = iter(range(1000))

    def leave(**changes: Any) -> UUID:
        answer = post(client, **({"body": f"Comment number {next(count)}."} | changes))
        assert answer.status_code in (201, 202), answer.text
        return UUID(answer.json["id"])  # type: ignore[index]

    return leave


@pytest.fixture
def stored(app: Flask) -> Callable[[UUID], Comment]:
    """A comment as the database has it now."""

    def look(comment_id: UUID) -> Comment:
        db.session.rollback()
        db.session.expire_all()
        return db.session.get_one(Comment, comment_id)

    return look
