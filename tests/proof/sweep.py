"""Everybody at every door in every way, right and wrong, and what each answer holds that its receiver may not see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.db import db, transaction
from tests.desk.conftest import HOME, fields, the_form

from .doors import DEVICE, DOORS, Door
from .leaks import Needles, leaks, of_addresses, of_columns, of_domains, of_networks, of_secrets, of_tokens, together
from .ways import AROUND, WAYS, Asking, with_query
from .world import Said, World, rules, sent

CALLERS = ("anonymous", "author", "viewer", "moderator", "owner", "admin", "foreign", "desk")
"""`desk` is a browser with the session of a moderator; `foreign` a moderator of the other site."""

TOLD = ("moderator", "owner", "admin", "desk")
"""Who is told the address of a comment of the site when they ask for it."""

SENDERS = ("203.0.113.77", "2001:db8:77:7::77")

ACCEPTED = {
    "json": "application/json",
    "html": "text/html",
    "any": "*/*",
    "atom": "application/atom+xml",
    "problem": "application/problem+json",
}

GIVEN = (
    ("/v1/sites/<site>/comments", rb'"author_token": ?"([^"]+)"'),
    ("/v1/tokens", rb'"token": ?"([^"]+)"'),
    ("/v1/moderators/invites", rb'"link": ?"[^"#]*#([^"]+)"'),
    ("/desk/team", rb'value="[^"#]*#(gri_[^"]+)"'),
    ("/desk/sign-up", rb'name="invite" value="([^"]+)"'),
    ("/desk/account", rb'<p class="me">([^<@]+)@'),
    ("/desk/account/passkey", rb'"name": ?"([^"@]+)@'),
    ("/desk/", rb'name="csrf_token"[^>]*? value="([^"]+)"'),
    ("/desk/", rb'"X-CSRFToken": "([^"]+)"'),
    ("/desk/", rb"(?i)set-cookie: greenroom=([^;\s]+)"),
    ("/embed/", rb'name="form_token" value="([^"]+)"'),
    ("/v1/sites/<site>/form", rb'"token": ?"([^"]+)"'),
    ("/mine", rb'name="token" value="([^"]+)"'),
)
"""Where a secret is given to whoever it is for. Anywhere else it is a leak."""


@dataclass(frozen=True)
class Visit:
    """An answer: to whom, about what, and its bytes without what its receiver may see."""

    caller: str
    door: Door
    kind: str
    status: int
    head: bytes
    body: bytes

    @property
    def name(self) -> str:
        return f"{self.kind} {self.door.name} as {self.caller} for {self.door.accept} ({self.status})"


def formats(door: Door) -> dict[str, Door]:
    """The door in every format that may be asked of it."""
    found = {name: replace(door, accept=accepted) for name, accepted in ACCEPTED.items()}
    if door.rule.startswith("/embed/"):
        found["lang"] = replace(with_query(door, "lang=de"), accept="text/html")
    if door.rule == "/embed/<site>":
        found["fragment"] = replace(with_query(door, "fragment=1"), accept="text/html")
    if door.is_desk:
        found["fragment"] = replace(door, accept="text/html", headers={**door.headers, "HX-Request": "true"})
    return found


class Sweep:
    """All visits to a world, by everybody, and what is secret about them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed: list[str] = []
        self.secrets = {"browser": f"canary-agent-{uuid4().hex}", "page before": f"canary-page-{uuid4().hex}"}
        """What was sent or handed out, by what it is."""
        self.secrets["device"] = DEVICE
        self.staff = f"c{uuid4().hex}@staff-canary.example.org"
        self.world.password = self.password = self.secrets["password"] = f"canary password {uuid4().hex}"
        self._bodies: dict[bytes, bytes] = {}
        with transaction():
            person = accounts.add_moderator(self.staff, "Desk", self.password, actor="test")
            accounts.grant(person, world.a.site.id, "moderator", actor="test")
        self._callers = {
            "anonymous": {},
            "author": {"Authorization": f"Author {world.a.said[0].token}"},
            "foreign": {"Authorization": f"Bearer {world.b.tokens['moderator']}"},
            "admin": {"Authorization": f"Bearer {world.admin}"},
        } | {role: {"Authorization": f"Bearer {world.a.tokens[role]}"} for role in ("viewer", "moderator", "owner")}
        self._desk = self._signed_in()

    def visits(self, *, full: bool) -> Iterator[Visit]:
        """Everybody at every door, and every way at every door that it fits.

        Else than in full, each caller takes one format in turn; half of the doors, others on each database, are tried
        in each way, by one caller in turn.
        """
        for index, door in enumerate(DOORS):
            forms = list(formats(door).values())
            for turn, caller in enumerate(CALLERS):
                for one in forms if full else forms[(index + turn) % len(forms) :][:1]:
                    yield from self.visit(one, caller)
            if door.rule == "/desk/sign-out":
                self._desk = self._signed_in()
        half = db.engine.dialect.name == "postgresql"
        for turn, (kind, (_, fits)) in enumerate(WAYS.items()):
            self._desk = self._signed_in() if full else self._desk
            with AROUND.get(kind, _as_always)(self.world.app, f"{self.world.a.said[0].email} {SENDERS[0]}"):
                for index, door in enumerate(filter(fits, DOORS)):
                    asked = formats(door)[("json", "html")[(turn + index // 2) % 2]]
                    for caller in CALLERS if full else CALLERS[(turn + index) % len(CALLERS) :][:1]:
                        if full or (turn + index) % 2 == half:
                            yield from self.visit(asked, caller, kind)

    def visit(self, door: Door, caller: str, kind: str = "right") -> Iterator[Visit]:
        own = caller == "author" and "Authorization" in door.headers
        if kind == "right" and caller not in TOLD and not own:
            door = door.settled()
        if caller != "author":  # who has no such token of their own asks without one
            door = replace(door, headers={name: one for name, one in door.headers.items() if name != "Authorization"})
        asking = Asking(self, door, caller)
        if own:  # the door's own request is that of who wrote what it is about
            del asking.headers["Authorization"]
        answers = WAYS[kind][0](asking) if kind != "right" else iter([asking.plain()])
        for answer in answers:
            self.last = answer
            yield self._kept(asking, kind, answer)

    def client(self, caller: str) -> tuple[FlaskClient, dict[str, str]]:
        """Who asks, and from where. A session that was signed out stays so until the next way."""
        if caller == "desk":
            return self._desk
        told = self._callers[caller] | self._ways_of_browsers()
        client = self.world.app.test_client()
        client.environ_base["REMOTE_ADDR"] = SENDERS[len(told) % 2]
        return client, {name.replace("-", "_"): value for name, value in told.items()}

    def _ways_of_browsers(self) -> dict[str, str]:
        page = f"https://blog.example.org/?{self.secrets['page before']}"
        return {"X-Forwarded-For": SENDERS[0], "User-Agent": self.secrets["browser"], "Referer": page}

    def _signed_in(self) -> tuple[FlaskClient, dict[str, str]]:
        """A new session; what was typed and given for it is secret."""
        client = self.world.app.test_client(use_cookies=True)
        client.environ_base["REMOTE_ADDR"] = SENDERS[1]
        told = self._ways_of_browsers() | {"Origin": HOME, "Accept": "text/html"}
        form, _ = the_form(sent(client, "/desk/sign-in", headers=told).text, "Sign in", None)
        data = fields(form) | {"email": self.staff, "password": self.password}
        answer = sent(client, "/desk/sign-in", method="POST", data=data, headers=told)
        assert answer.status_code == 303, answer.text
        page = sent(client, "/desk/", headers=told)
        token = re.search(r'"X-CSRFToken": "([^"]+)"', page.text)
        cookie = client.get_cookie("greenroom")
        assert token and cookie
        self.secrets |= {f"CSRF token {uuid4().hex}": token[1], f"session {uuid4().hex}": cookie.value}
        headers = self._ways_of_browsers() | {"Origin": HOME, "X-CSRFToken": token[1]}
        return client, {name.replace("-", "_"): value for name, value in headers.items()}

    def _kept(self, asking: Asking, kind: str, answer: TestResponse) -> Visit:
        """The answer without what its receiver may see, which becomes a secret to look for elsewhere."""
        door, head, body = asking.door, str(answer.headers).encode(), answer.get_data()
        may_see = [one.partition("@")[0].encode() for one in asking.may_see]
        for rule, given in GIVEN:
            if door.rule.startswith(rule):
                may_see += (new := re.findall(given, head + body))
                self.secrets |= {f"given by {door.name}: {one.decode()}": one.decode() for one in new}
        if door.rule.endswith("/reveal") and asking.caller in TOLD and answer.status_code == 200:
            pending = self.world.a.ids["pending"]
            may_see += [one.email.partition("@")[0].encode() for one in self.world.a.said if one.id == pending]
        for one in may_see:
            head, body = head.replace(one, b""), body.replace(one, b"")
        body = self._bodies.setdefault(body, body)
        return Visit(asking.caller, door, kind, answer.status_code, head, body)

    def found_in(self, visits: list[Visit], private: Needles | None = None) -> list[str]:
        """Leaks in what was answered. Only a site's own people are told its network labels, and addresses masked."""
        heaps = {
            caller: {f"{n} {one.name}, {part}": getattr(one, part) for n, one in enumerate(visits)
                     if one.caller == caller for part in ("head", "body")}
            for caller in CALLERS
        }  # fmt: skip
        labels = {place.site.key: of_columns([place], seals=False) for place in (self.world.a, self.world.b)}
        domains = of_domains(one.email for one in self.said)
        strangers = [domains, *labels.values()]
        unseen = dict.fromkeys(CALLERS, [labels["zine"]]) | {"anonymous": strangers, "author": strangers}
        unseen |= {"foreign": [labels["blog"]], "admin": []}
        everybody = together([private or self.private(), of_columns([self.world.a, self.world.b], labels=False)])
        found = leaks({name: raw for mine in heaps.values() for name, raw in mine.items()}, everybody)
        return found + [line for caller in CALLERS for line in leaks(heaps[caller], together(unseen[caller]))]

    @property
    def said(self) -> list[Said]:
        return [*self.world.a.said, *self.world.b.said]

    @property
    def people(self) -> list[str]:
        """The addresses of those who moderate the world."""
        roles = ("viewer", "moderator", "owner")
        return [f"{role}@{key}.example.org" for role in roles for key in ("blog", "zine")] + ["admin@staff.example.org"]

    def private(self) -> Needles:
        """What nobody is sent and nothing keeps as it is: addresses, networks, and every secret handed out."""
        return together([
            of_addresses({one.email for one in self.said} | {*self.typed, self.staff, self.world.typed}),
            of_tokens({one: one for one in self.people}),
            of_networks({one.ip for one in self.said} | set(SENDERS)),
            *of_secrets(self.world),
            of_tokens(self.secrets, hashes=False),
        ])  # fmt: skip


def _as_always(_app: Flask, _private: str) -> AbstractContextManager[None]:
    return nullcontext()


def unvisited(visits: list[Visit], app: Flask, *, full: bool) -> set[str]:
    """Doors where somebody was not, that gave nobody a good answer, or that were not tried in a way that fits."""
    right = [one for one in visits if one.kind == "right"]
    names, known = {name for name, _ in rules(app)}, {door.name: door for door in DOORS}
    well = {one.door.name for one in right if one.status < 400}
    seen = {(one.door.name, one.caller) for one in right}
    tried = {(one.door.name, one.kind) for one in visits}
    every = {(name, kind) for name in names for kind, (_, fits) in WAYS.items() if name in known and fits(known[name])}
    return {
        *(f"{name}: no good answer" for name in names - well),
        *(f"{name} as {caller}" for name in names for caller in CALLERS if (name, caller) not in seen),
        *(f"{name}: never {kind}" for name, kind in every - tried if full),
        *(f"nowhere: {kind}" for kind in WAYS.keys() - {kind for _, kind in tried}),
    }
