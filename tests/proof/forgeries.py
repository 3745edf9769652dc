"""Requests that a moderator's browser could be made to send from elsewhere, with the moderator's own cookie."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.desk.conftest import HOME, PASSWORD, Browser

from .callers import SignedIn
from .doors import DOORS, Door
from .world import World, filled, sent

EVIL = "https://evil.example"
SENDERS: Mapping[str, Mapping[str, str]] = {
    "Origin evil": {"Origin": EVIL},
    "Origin null": {"Origin": "null"},
    "Origin of a listed site": {"Origin": "https://blog.example.org"},
    "Origin of another port": {"Origin": "http://127.0.0.1:8081"},
    "Origin of another scheme": {"Origin": "https://127.0.0.1:8080"},
    "Origin that begins like ours": {"Origin": f"{HOME}.evil.example"},
    "Origin with a user like us": {"Origin": f"{HOME}@evil.example"},
    "Origin evil, own Referer": {"Origin": EVIL, "Referer": f"{HOME}/desk/"},
    "neither Origin nor Referer": {},
    "Referer evil": {"Referer": f"{EVIL}/desk/"},
    "Referer evil with ours in it": {"Referer": f"{EVIL}/?{HOME}/desk/"},
    "Sec-Fetch-Site cross-site": {"Origin": HOME, "Sec-Fetch-Site": "cross-site"},
    "Sec-Fetch-Site same-site": {"Origin": HOME, "Sec-Fetch-Site": "same-site"},
    "Sec-Fetch-Site none": {"Origin": HOME, "Sec-Fetch-Site": "none"},
    "Sec-Fetch-Site same-origin, Origin evil": {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
}
"""Where a request with the right token seems to come from."""

OURS = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
PLAIN, URLENCODED, MULTIPART = "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"
"""What a form of any page can send without asking first."""


@dataclass(frozen=True)
class Attempt:
    """One request. `lacks`, in words: what it has not, or has too much, to be a request of our own page."""

    lacks: str
    method: str
    path: str
    token: str | None
    headers: Mapping[str, str] = field(default_factory=lambda: OURS)
    kind: str = ""
    may_read: bool = False
    """Taken for a GET, which may answer as long as nothing is changed."""


class Forger:
    """Knows a door, the browser whose cookie goes along, and what our own page would send with it."""

    def __init__(self, world: World, door: Door, owner: SignedIn) -> None:
        self.door = door
        self.browser: FlaskClient
        if door.rule == "/desk/sign-in":  # nobody is signed in yet: it would be the forger's own account
            self.browser = Browser(world.app, world.app.test_client().response_wrapper, use_cookies=True)
            self.token = SignedIn._token_of(self.browser, door.path)  # type: ignore[arg-type]
            self.names = {"typed": "owner@blog.example.org"}
            self.form = {"email": "owner@blog.example.org", "password": PASSWORD}
        elif door.rule == "/desk/sign-up":  # as a newcomer who has the link
            self.browser = Browser(world.app, world.app.test_client().response_wrapper, use_cookies=True)
            self.token = SignedIn._token_of(self.browser, "/desk/sign-in")  # type: ignore[arg-type]
            self.names = world.names(door, world.a)
            newcomer = {"accept": "yes", "email": "kim@new.example.org", "name": "Kim", "password": PASSWORD}
            self.form = filled(door.form, self.names) | newcomer
        else:
            self.browser, self.token = owner, owner.csrf
            self.names = world.names(door, world.a)
            self.form = filled(door.form, self.names)
        self.path = filled(door.path, self.names)
        self.json = filled(door.json, self.names)

    def ours(self) -> Attempt:
        """The request of our own page, which lacks nothing."""
        return Attempt("nothing", self.door.method, self.path, self.token)

    def attempts(self, foreign: str) -> Iterator[Attempt]:
        """`foreign`: the token of somebody else's session."""
        right = self.ours()
        wrong = {"no token": None, "empty token": "", "foreign token": foreign, "altered token": self.token[:-2] + "xx"}
        for lacks, token in wrong.items():
            yield replace(right, lacks=lacks, token=token)
        for lacks, headers in SENDERS.items():
            yield replace(right, lacks=lacks, headers=headers)
        for kind in (PLAIN, URLENCODED, MULTIPART):
            yield replace(right, lacks=f"{kind} from elsewhere", kind=kind, token=None, headers={"Origin": EVIL})
            yield replace(right, lacks=f"{kind} without a token", kind=kind, token=None)
            if self.json is not None:
                yield replace(right, lacks=f"{kind} for JSON", kind=kind)
        yield from self._by_another_method(right)

    def _by_another_method(self, right: Attempt) -> Iterator[Attempt]:
        """Everything is right but the method, and something asks to take it for the other one."""
        reads = any(one.method == "GET" and one.rule == self.door.rule for one in DOORS)
        glue = "&" if "?" in self.path else "?"
        for method in ("GET", "HEAD"):
            safe = replace(right, method=method, may_read=reads)
            asked = self.path + glue + urlencode({"_method": self.door.method})
            yield replace(safe, lacks=f"{method} with _method", path=asked)
            told = {**OURS, "X-HTTP-Method-Override": self.door.method, "X-Method-Override": self.door.method}
            yield replace(safe, lacks=f"{method} with an override", headers=told)
        posts = any(one.method == "POST" and one.rule == self.door.rule for one in DOORS)
        other = "PUT" if posts else "POST"
        told = {**OURS, "X-HTTP-Method-Override": self.door.method}
        yield replace(right, lacks=f"{other} with an override", method=other, headers=told)

    def send(self, one: Attempt) -> TestResponse:
        headers = {"Accept": self.door.accept, **self.door.headers, **one.headers}
        fields = dict(self.form if self.form is not None else {name: json.dumps(it) for name, it in self._parts()})
        if one.token is not None:
            headers |= {} if self.door.is_desk else {"X-CSRFToken": one.token}
            fields |= {"csrf_token": one.token}
        more: dict[str, Any] = {"data": fields, "content_type": one.kind or URLENCODED}
        if one.kind == PLAIN or (not one.kind and self.door.form is None):
            said = json.dumps(self.json) if self.json is not None else ""
            text = said if self.door.form is None else "\r\n".join(map("=".join, fields.items()))
            more = {"data": text, "content_type": one.kind or "application/json"}
        return sent(self.browser, one.path, method=one.method, headers=headers, **more)

    def _parts(self) -> Any:
        return (self.json or {}).items()
