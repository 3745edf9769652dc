"""Where the service shows what people wrote, as visitors, moderators, readers of feeds and widgets get it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote

from defusedxml.ElementTree import fromstring
from flask import Flask
from passlib.totp import TOTP
from werkzeug.test import TestResponse

from service.accounts import factors, queries
from service.accounts import operations as accounts
from service.accounts.security import CODE_PAGE
from service.db import transaction
from service.desk.people import SHOWN
from service.embed import mine
from service.errors import TooManyRequests
from tests.desk.conftest import HOME, PASSWORD, Browser, fields, tree

from .planted import KEY, MODERATOR, ORIGIN, TENTH, Own, Planted, line, said
from .world import SOME_ID

_ATOM = "{http://www.w3.org/2005/Atom}"
_EMBED, _API, _QUEUE = f"/embed/{KEY}", f"/v1/sites/{KEY}", "/v1/moderation/comments"
_WIDGET = {
    "widget": "",
    "widget by its policy of types": "require-trusted-types-for 'script'; trusted-types greenroom",
    "widget by nodes": "require-trusted-types-for 'script'; trusted-types 'none'",
}
"""Policies of pages with the widget: it lets the browser parse the HTML, or builds each node itself."""

_TAGS = ("count", "rating", "thread")
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
        self.app = app
        self.public, self.desk = (Browser(app, app.response_class, use_cookies=True) for _ in range(2))
        assert self.desk.sign_in(MODERATOR).status_code == 303
        self.token = fields(tree(self.desk.get("/desk/").text))["csrf_token"]
        self.sign_in = fields(tree(self.public.get("/desk/sign-in").text))
        person = queries.moderator_at(MODERATOR)
        assert person
        with transaction():
            issued = accounts.issue_token(person, accounts.NewToken("test", ("read", "moderate")), actor="test")
        self.halfway = self._halfway()
        self.api = {"Authorization": f"Bearer {issued.secret}", "Accept": "application/json", "If-Match": "*"}

    def _halfway(self) -> Browser:
        """In which somebody has shown a password, and has a code to show as well."""
        browser, email = Browser(self.app, self.app.response_class, use_cookies=True), "codes@staff.example.org"
        with transaction():
            person = accounts.add_moderator(email, "Codes", PASSWORD, actor="test")
            secret = factors.start(person)
        with transaction():
            factors.confirm(person, str(TOTP(secret).generate().token), factors.mark_of(secret))
        assert browser.sign_in(email).headers["Location"] == CODE_PAGE
        return browser

    def _second_step(self, text: str) -> TestResponse:
        form = fields(tree(self.halfway.get(CODE_PAGE).text))
        return self.halfway.post(CODE_PAGE, data=form | {"code": text}, headers={"Origin": HOME})

    def pages(self, planted: Planted) -> dict[str, Fetch]:
        """Pages that show all the texts."""
        page, many, some = planted.page, len(planted.texts), len(planted.texts[::TENTH])
        queue = f"/desk/?status=all&site={KEY}&page={page}&limit={many}"
        return {
            "thread": lambda: _seen("thread", self.public.get(f"{_EMBED}?page={page}"), many, many),
            "queue": lambda: _seen("queue", self.desk.get(queue), many, many),
            "comment": lambda: _seen("comment", self.desk.get(f"/desk/comments/{planted.kept}"), many, 1),
            "person": lambda: _seen("person", self.desk.get(f"/desk/people/{planted.kept}"), SHOWN),
            "rules": lambda: _seen("rules", self.desk.get(f"/desk/rules?limit={many}"), many),
            "account": lambda: _seen("account", self.desk.get("/desk/account"), many),
            "team": lambda: _seen("team", self.desk.get(f"/desk/team?site={KEY}"), many),
            "audit": lambda: _seen("audit", self.desk.get(f"/desk/audit?action=comment.approved&limit={many}"), many),
            "reasons": lambda: _seen("reasons", self.desk.get("/desk/reasons"), some),
            "webhook": lambda: _seen("webhook", self.desk.get(f"/desk/webhooks/{planted.hook}"), many),
            "filters": lambda: _seen("filters", self.desk.get("/desk/filters"), many),
            "what waits": lambda: _seen("what waits", self.desk.get("/desk/?limit=100"), some),
        }

    def parts(self, planted: Planted) -> dict[str, Fetch]:
        """The thread in the page of somebody else, and the queue with as many pages as comments."""
        thread, many = f"{_EMBED}?page={planted.page}&fragment=1", len(planted.texts)
        newest = f"/desk/?status=all&sort=newest&limit={many}"
        return {
            "fragment": lambda: _part("fragment", self.public.get(thread), many, many),
            "queue of pages": lambda: _seen("queue of pages", self.desk.get(newest), many, many),
        }

    def tagged(self, planted: Planted) -> dict[str, Fetch]:
        """Pages with the widget's tag: our own review, and those of other people with policies of theirs."""
        tags = "".join(f'<greenroom-{one} site={KEY} page="{planted.page}"></greenroom-{one}>' for one in _TAGS)
        text = f"<!doctype html><title>Elsewhere</title>{tags}<script type=module src=/widget.js></script>"
        many = len(planted.texts)
        pages: dict[str, Fetch] = {"review": lambda: _seen("review", self.public.get("/"), many, many)}
        return pages | {name: partial(Sight, name, text, many, many, policy) for name, policy in _WIDGET.items()}

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
            self.public.post(f"{there}/pin", headers=self.api),
            self.public.post(f"{there}/decision", json={"decision": "spam"}, headers=self.api),
            self.public.post("/v1/moderation/claims", json={"count": 1}, headers=self.api),
            *self._as_json_to_authors(planted.own[0]),
        ]

    def _as_json_to_authors(self, own: Own) -> Iterator[TestResponse]:
        """What an author is told, and a moderator who takes the change that waits."""
        who = {"Authorization": f"Author {own.token}"}
        told = self.public.get("/v1/mine", headers=who | {"Accept": "application/json"})
        yield told
        body = {"id": str(own.comment), "body": f"{said(own.text)} once more"}
        changed = self.public.patch("/v1/mine", json=body, headers=who | {"Accept": "application/json"})
        yield changed
        there = f"{_QUEUE}/{own.comment}"
        revisions = self.public.get(there, headers=self.api).json["revisions"]
        held = next(one["id"] for one in revisions if one["state"] == "held")
        yield self.public.post(f"{there}/revision", json={"decision": "accept", "revision": held}, headers=self.api)
        made = self.public.post(f"{there}/reply", json={"body": own.text[:9_000] or "x"}, headers=self.api)
        yield made
        if made.status_code == 201:  # its page shows one text again
            gone = f"{_QUEUE}/{made.json['id']}/decision"
            self.public.post(gone, json={"decision": "delete"}, headers=self.api)

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
            lambda: _seen("mine", self.public.post("/mine", data={"token": own.token}), bodies=1),
            lambda: _seen("refused change", self._change(own), bodies=1),
            lambda: self._later(own),
            lambda: _seen("change at the desk", self.desk.get(desk), 2, 1),
            lambda: _seen(
                "refused ruling", self._post(f"{desk}/revision", decision="accept", revision=SOME_ID.hex, **why)
            ),
            lambda: _seen("search", self.desk.get("/desk/", query_string=search)),
            lambda: _seen("refused edit", self._post(desk, body=text)),
            lambda: _seen("refused reply", self._post(f"{desk}/reply", body=f"{text} {'x' * 10_000}")),
            lambda: _seen("refused rule", self._post(f"/desk/people/{own.comment}/rules", deed="no", note=text[:500])),
            lambda: _seen("refused look-up", self._post("/desk/people/lookup", site=KEY, email=text, back="limit=100")),
            lambda: _seen("refused decision", self._post(decision, decision="spam", **why, at="comment")),
            lambda: _seen(
                "refused reasons", self._post("/desk/reasons", site=KEY, code="?", title=text, sentence=text)
            ),
            lambda: _seen(
                "refused settings",
                self._post(f"/desk/sites/{KEY}", mode="pre", depth="many", name=text, privacy_text=text),
            ),
            lambda: _seen("webhooks", self.desk.get("/desk/webhooks")),
            lambda: _seen(
                "refused webhook", self._post("/desk/webhooks", site=KEY, url=text, note=f"{text} {'x' * 200}")
            ),
            lambda: _seen("sites", self.desk.get("/desk/sites")),
            lambda: _seen("numbers", self.desk.get("/desk/numbers")),
            lambda: _seen("audit log", self.desk.get("/desk/audit")),
            lambda: _seen("many", self._decided_many(own)),
            lambda: _seen("revealed", self._post(f"{desk}/reveal", back=text)),
            lambda: _seen("lost", self.desk.get(f"/desk/at-{quote(line(text, 500).replace('/', ' '))}")),
            lambda: _seen("sign-in", self._signed_in_as(text)),
            lambda: _seen("refused name", self._post("/desk/account", deed="name", name=f"{text} {'x' * 100}")),
            lambda: _seen("second step", self._second_step(text)),
            lambda: _seen(
                "refused invitation", self._post("/desk/team", deed="invite", site=KEY, name=f"{text} {'x' * 99}")
            ),
            lambda: _seen("no invitation", self._post("/desk/sign-up", invite=text, name=text, email=text)),
            lambda: _part("refused at once", self._post(decision, _AT_ONCE, decision="spam", **why)),
            lambda: _part("noted at once", self._post(f"{desk}/notes", _AT_ONCE, note=text[:2000] or "x")),
            lambda: _part("revealed at once", self._post(f"{desk}/reveal", _AT_ONCE, back=text)),
            lambda: _part("no decision", self._post(decision, _AT_ONCE, decision=text)),
            lambda: _part("decided", self._post(decision, _AT_ONCE, decision="spam", seen="*", back=text)),
        ]

    def _send(self, own: Own, **more: str) -> TestResponse:
        """The form for visitors with the text in every field but the page."""
        names = ("name", "email", "website", "body", "rating", "page_title", "page_url", "redirect_to", "parent_id")
        return self.public.post(f"{_EMBED}/comments", data=dict.fromkeys(names, own.text) | {"page": own.page} | more)

    def _change(self, own: Own) -> TestResponse:
        """A change of another version than there is, with the text in every field."""
        typed = {"token": own.token, "deed": "edit", "comment": str(own.comment), "body": own.text + " ", "seen": "old"}
        return self.public.post("/mine", data=typed)

    def _later(self, own: Own) -> Sight:
        """The same for somebody who was there too often: all that was typed is to be sent again."""
        names = ("token", "deed", "comment", "seen", "body", "sure", "cursor")
        with self.app.test_request_context("/mine", method="POST", data=dict.fromkeys(names, own.text)):
            answer = mine.problem_page(TooManyRequests(headers={"Retry-After": "5"}))
        policy = answer.headers["Content-Security-Policy"]
        return Sight("a change later", answer.get_data(as_text=True), policy=policy)

    def _accepted(self, own: Own) -> TestResponse:
        """A form that leads back to an address with the text in it."""
        typed = {"name": "Ada", "email": "ada@mail.example.org", "body": f"Once more: {own.comment}", "page": own.page}
        return self.public.post(f"{_EMBED}/comments", data=typed | {"redirect_to": f"{ORIGIN}/{own.text}"})

    def _post(self, path: str, headers: dict[str, str] | None = None, **typed: str) -> TestResponse:
        """A form of the desk; unless it says otherwise, from somebody who had seen another version."""
        data = {"csrf_token": self.token, "seen": '"v0"', "back": ""} | typed
        return self.desk.post(path, data=data, headers={"Origin": HOME} | (headers or {}))

    def _decided_many(self, own: Own) -> TestResponse:
        """The page of a decision on many, of which there is one."""
        there = self._post("/desk/decisions", decision="delete", item=f"{own.comment} *").headers.get("Location", "")
        done = there.rpartition("many=")[2]
        shown = self.desk.get(f"/desk/decisions/{done}")
        self._post(f"/desk/decisions/{done}/undo")
        return shown

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
