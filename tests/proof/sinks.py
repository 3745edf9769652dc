"""Where the service shows what people wrote, as visitors, moderators, readers of feeds and widgets get it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from defusedxml.ElementTree import fromstring
from flask import Flask
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts import queries
from service.db import transaction
from tests.desk.conftest import HOME, Browser, fields, tree

from .planted import KEY, MODERATOR, ORIGIN, Own, Planted, line

_ATOM = "{http://www.w3.org/2005/Atom}"
_EMBED, _API, _QUEUE = f"/embed/{KEY}", f"/v1/sites/{KEY}", "/v1/moderation/comments"
_AT_ONCE = {"HX-Request": "true"}
"""What htmx sends along; it puts the answer into its page."""


@dataclass(frozen=True)
class Sight:
    """A document as a browser gets it, and how many texts it shows.

    `bodies` of them stand there as HTML. Without a `policy` it is somebody else's page, with our words in it.
    """

    sink: str
    text: str
    texts: int = 1
    bodies: int | None = None
    policy: str = ""
    content_type: str = "text/html; charset=utf-8"


Fetch = Callable[[], Sight]


class Sinks:
    """All that the app shows of what is planted; documents are asked for when they are looked at."""

    def __init__(self, app: Flask) -> None:
        self.public, self.desk = (Browser(app, app.response_class, use_cookies=True) for _ in range(2))
        assert self.desk.sign_in(MODERATOR).status_code == 303
        self.token = fields(tree(self.desk.get("/desk/").text))["csrf_token"]
        self.sign_in = fields(tree(self.public.get("/desk/sign-in").text))
        person = queries.moderator_at(MODERATOR)
        assert person
        with transaction():
            issued = accounts.issue_token(person, accounts.NewToken("test", ("read", "moderate")), actor="test")
        self.api = {"Authorization": f"Bearer {issued.secret}", "Accept": "application/json", "If-Match": "*"}

    def pages(self, planted: Planted) -> dict[str, Fetch]:
        """Pages that show all the texts."""
        page, many = planted.page, len(planted.texts)
        queue = f"/desk/?status=all&site={KEY}&page={page}&limit={many}"
        return {
            "thread": lambda: _seen("thread", self.public.get(f"{_EMBED}?page={page}"), many, many),
            "review": lambda: _seen("review", self.public.get("/"), many, many),
            "queue": lambda: _seen("queue", self.desk.get(queue), many, many),
            "comment": lambda: _seen("comment", self.desk.get(f"/desk/comments/{planted.kept}"), many, 1),
        }

    def parts(self, planted: Planted) -> dict[str, Fetch]:
        """The thread in the page of somebody else, and the queue with as many pages as comments."""
        thread, many = f"{_EMBED}?page={planted.page}&fragment=1", len(planted.texts)
        newest = f"/desk/?status=all&sort=newest&limit={many}"
        return {
            "fragment": lambda: _part("fragment", self.public.get(thread), many, many),
            "queue of pages": lambda: _seen("queue of pages", self.desk.get(newest), many, many),
        }

    def feeds(self, planted: Planted) -> dict[str, Callable[[], TestResponse]]:
        """Feeds with one half of the texts each."""
        one, every = f"{_API}/feed.atom?page={planted.page}", f"{_API}/feed.atom"
        return {"feed": lambda: self.public.get(one), "feed of all": lambda: self.public.get(every)}

    def as_json(self, planted: Planted) -> list[TestResponse]:
        """Every answer that has `html` for somebody's widget."""
        there, said = f"{_QUEUE}/{planted.kept}", {"body": planted.texts[0]}
        return [
            self.public.get(f"{_API}/thread?page={planted.page}", headers=self.api),
            self.public.get(f"{_API}/comments/{planted.kept}", headers=self.api),
            self.public.get(f"{_API}/latest?limit={len(planted.texts)}", headers=self.api),
            self.public.post(f"{_API}/preview", json=said, headers=self.api),
            self.public.get(f"{_QUEUE}?site={KEY}&page={planted.page}&limit=100", headers=self.api),
            self.public.get(there, headers=self.api),
            self.public.patch(there, json=said, headers=self.api),
            self.public.post(f"{there}/decision", json={"decision": "spam"}, headers=self.api),
        ]

    def of_one(self, own: Own) -> list[Fetch]:
        """Documents that show one text; the first shows it in most fields."""
        text, desk, odd = own.text, f"/desk/comments/{own.comment}", ("page", "sort", "lang", "cursor", "reply")
        decision = f"{desk}/decision"
        place = {"page": own.page, "page_title": text[:300], "redirect_to": text[:2048]}
        reply = {"page": own.page, "reply": own.comment}
        search = {"q": f"{text[:150]} and nothing like it", "reason": text[:40]}
        why = {"reason": text[:500], "note": text[:2000]}
        return [
            lambda: _seen("refused form", self._send(own)),
            lambda: _seen("own page", self.public.get(_EMBED, query_string=place), bodies=1),
            lambda: _seen("preview", self._send(own, preview="1", page=text)),
            lambda: _seen("reply", self.public.get(f"{_EMBED}/form", query_string=reply)),
            lambda: _seen("led back", self._accepted(own)),
            lambda: _seen("odd address", self.public.get(_EMBED, query_string=dict.fromkeys(odd, text))),
            lambda: _seen("search", self.desk.get("/desk/", query_string=search)),
            lambda: _seen("refused edit", self._post(desk, body=text)),
            lambda: _seen("refused decision", self._post(decision, decision="spam", **why, at="comment")),
            lambda: _seen("revealed", self._post(f"{desk}/reveal", back=text)),
            lambda: _seen("lost", self.desk.get(f"/desk/at-{quote(line(text, 500).replace('/', ' '))}")),
            lambda: _seen("sign-in", self._signed_in_as(text)),
            lambda: _part("refused at once", self._post(decision, _AT_ONCE, decision="spam", **why)),
            lambda: _part("revealed at once", self._post(f"{desk}/reveal", _AT_ONCE, back=text)),
            lambda: _part("no decision", self._post(decision, _AT_ONCE, decision=text)),
            lambda: _part("decided", self._post(decision, _AT_ONCE, decision="spam", seen="*", back=text)),
        ]

    def _send(self, own: Own, **more: str) -> TestResponse:
        """The form for visitors with the text in every field but the page."""
        names = ("name", "email", "website", "body", "rating", "page_title", "page_url", "redirect_to", "parent_id")
        return self.public.post(f"{_EMBED}/comments", data=dict.fromkeys(names, own.text) | {"page": own.page} | more)

    def _accepted(self, own: Own) -> TestResponse:
        """A form that leads back to an address with the text in it."""
        typed = {"name": "Ada", "email": "ada@mail.example.org", "body": f"Once more: {own.comment}", "page": own.page}
        return self.public.post(f"{_EMBED}/comments", data=typed | {"redirect_to": f"{ORIGIN}/{own.text}"})

    def _post(self, path: str, headers: dict[str, str] | None = None, **typed: str) -> TestResponse:
        """A form of the desk; unless it says otherwise, from somebody who had seen another version."""
        data = {"csrf_token": self.token, "seen": '"v0"', "back": ""} | typed
        return self.desk.post(path, data=data, headers={"Origin": HOME} | (headers or {}))

    def _signed_in_as(self, text: str) -> TestResponse:
        typed = self.sign_in | {"email": text, "password": "x", "next": text}
        return self.public.post("/desk/sign-in", data=typed, headers={"Origin": HOME})


def read(feed: TestResponse) -> Sight:
    """What a reader of feeds makes of one: names and titles are text, the contents are the HTML that they say."""
    shown = []
    for entry in fromstring(feed.data).iter(f"{_ATOM}entry"):
        told = {part.tag.removeprefix(_ATOM): part for part in entry.iter()}
        words = {name: escape(part.text or "") for name, part in told.items()}
        author = f"<a href='{words['uri']}'>{words['name']}</a>" if "uri" in words else ""
        title = f"<h2><a href='{escape(told['link'].get('href', ''))}'>{words['title']}</a></h2>"
        shown.append(f"{title}{author}<div class=gr-body>{told['content'].text or ''}</div>")
    return _within("reader", "".join(shown), len(shown), len(shown))


def htmls(document: Any) -> Iterator[str]:
    """Every text under the name `html`, however deep."""
    for name, value in document.items() if isinstance(document, dict) else enumerate(document):
        if name == "html":
            yield value
        elif isinstance(value, dict | list):
            yield from htmls(value)


def _seen(sink: str, answer: TestResponse, texts: int = 1, bodies: int | None = None) -> Sight:
    assert answer.status_code < 500, (sink, answer.status_code)
    policy = answer.headers["Content-Security-Policy"]
    return Sight(sink, answer.text, texts, bodies, policy, answer.headers["Content-Type"])


def _part(sink: str, answer: TestResponse, texts: int = 1, bodies: int | None = None) -> Sight:
    assert answer.status_code < 500, (sink, answer.status_code)
    return _within(sink, answer.text, texts, bodies)


def _within(sink: str, part: str, texts: int, bodies: int | None) -> Sight:
    """A part of a page in the page of somebody who has no policy."""
    return Sight(sink, f"<!doctype html><meta charset=utf-8><title>Elsewhere</title><main>{part}</main>", texts, bodies)
