"""Everybody at every door in every way, right and wrong, and what each answer holds that its receiver may not see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.db import db, transaction
from tests.desk.conftest import HOME, fields, the_form

from .callers import ROLES, SIGNED_OUT
from .doors import DEVICE, DOORS, Door
from .fields import PAGES
from .leaks import Needles, leaks, of_addresses, of_columns, of_domains, of_networks, of_secrets, of_tokens, together
from .ways import AROUND, WAYS, Asking, with_query
from .world import Said, World, rules, sent

_DESK = " at the desk"
CALLERS = tuple(f"{role}{_DESK}" if by == "session" else role for role, means in ROLES.items() for by in means or ("",))
"""Everybody of the table of figure 6, by every means that they have: `at the desk` is a browser with a session."""

TOLD = tuple(one for one in CALLERS if one.removesuffix(_DESK) in ("moderator", "owner", "admin"))
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
    ("/desk/team", rb'value="([^"@]+)@[^"]*" autocomplete="username"'),
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


def choices(document: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Each door that reads → what may be chosen in its address, and every choice: such as a format, or a state.

    The API's are in its document; a page of the desk has those of the same names.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for door in (one for one in DOORS if not one.changes):
        path = door.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}")
        parameters = document["paths"].get(path, {}).get(door.method.lower(), {}).get("parameters", [])
        named = {one["name"]: _chosen(one["schema"]) for one in parameters if one["in"] == "query"}
        found[door.name] = {name: values for name, values in named.items() if values}
    every: dict[str, list[str]] = {}
    for own in found.values():
        for name, values in own.items():
            every[name] = list(dict.fromkeys([*every.get(name, []), *values]))
    for name, heard in PAGES.items():
        if name.startswith("GET /desk/"):
            found[name] = {one: every[one] for one in sorted(heard & every.keys())}
    return found


def _chosen(schema: Mapping[str, Any]) -> list[str]:
    shape = schema.get("items", schema)
    yes_or_no = [True, False] if "boolean" in str(shape.get("type")) else []
    values = [one for one in shape.get("enum", yes_or_no) if one is not None]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def chosen(app: Flask) -> list[Door]:
    """The doors with each choice in their addresses."""
    document = app.test_client().get("/openapi.json").json or {}
    told = choices(document)
    return [
        with_query(door, f"{name}={value}")
        for door in DOORS
        for name, values in told.get(door.name, {}).items()
        for value in values
    ]


class Sweep:
    """All visits to a world, by everybody, and what is secret about them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed: list[str] = []
        self.secrets = {"browser": f"canary-agent-{uuid4().hex}", "page before": f"canary-page-{uuid4().hex}"}
        """What was sent or handed out, by what it is."""
        self.secrets["device"] = DEVICE
        self.staff: dict[str, str] = {}
        """The addresses of those at the desk."""
        self.world.password = self.password = self.secrets["password"] = f"canary password {uuid4().hex}"
        self._bodies: dict[bytes, bytes] = {}
        tokens = world.a.tokens | {"neighbour": world.b.tokens["moderator"], "admin": world.admin}
        self._callers = {
            "anonymous": {},
            "author": {"Authorization": f"Author {world.a.said[0].token}"},
            "stranger": {"Authorization": f"Author {world.a.said[1].token}"},
        } | {role: {"Authorization": f"Bearer {token}"} for role, token in tokens.items()}
        for caller in (one for one in CALLERS if one.endswith(_DESK)):
            self._hire(caller)
        self._desks: dict[str, tuple[FlaskClient, dict[str, str]]] = {}
        self._sign_in()

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
                self._sign_in()
        for turn, door in enumerate(chosen(self.world.app)):
            for caller in CALLERS if full else CALLERS[turn % len(CALLERS) :][:1]:
                yield from self.visit(door, caller)
        half = db.engine.dialect.name == "postgresql"
        for turn, (kind, (_, fits)) in enumerate(WAYS.items()):
            if full:
                self._sign_in()
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
        if caller in self._desks:
            return self._desks[caller]
        told = self._callers[caller] | self._ways_of_browsers()
        client = self.world.app.test_client()
        client.environ_base["REMOTE_ADDR"] = SENDERS[len(told) % 2]
        return client, {name.replace("-", "_"): value for name, value in told.items()}

    def _ways_of_browsers(self) -> dict[str, str]:
        page = f"https://blog.example.org/?{self.secrets['page before']}"
        return {"X-Forwarded-For": SENDERS[0], "User-Agent": self.secrets["browser"], "Referer": page}

    def _hire(self, caller: str) -> None:
        """Somebody with such a role, whose address stands nowhere else."""
        role = caller.removesuffix(_DESK)
        address = self.staff[caller] = f"c{uuid4().hex}@staff-canary.example.org"
        place = self.world.b if role == "neighbour" else self.world.a
        with transaction():
            person = accounts.add_moderator(address, "Desk", self.password, actor="test", is_admin=role == "admin")
            if role != "admin":
                has = {"neighbour": "moderator", "ended": "moderator"}.get(role, role)
                accounts.grant(person, place.site.id, has, actor="test")

    def _sign_in(self) -> None:
        """New sessions for all at the desk; one of them has ended, and its cookie is still sent."""
        self._desks = {caller: self._signed_in(address) for caller, address in self.staff.items()}
        client, headers = self._desks[f"ended{_DESK}"]
        (cookie,) = client._cookies.values()  # type: ignore[union-attr]
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        assert sent(client, "/desk/sign-out", method="POST", headers=told, data={}).status_code == 303
        client.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)

    def _signed_in(self, address: str) -> tuple[FlaskClient, dict[str, str]]:
        """A new session; what was typed and given for it is secret."""
        client = self.world.app.test_client(use_cookies=True)
        client.environ_base["REMOTE_ADDR"] = SENDERS[1]
        told = self._ways_of_browsers() | {"Origin": HOME, "Accept": "text/html"}
        form, _ = the_form(sent(client, "/desk/sign-in", headers=told).text, "Sign in", None)
        data = fields(form) | {"email": address, "password": self.password}
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
        unseen = {caller: [labels["zine"]] for caller in CALLERS}
        unseen |= {caller: strangers for caller in CALLERS if caller.removesuffix(_DESK) in SIGNED_OUT}
        unseen |= {f"neighbour{by}": [labels["blog"]] for by in ("", _DESK)}
        unseen |= {f"admin{by}": [] for by in ("", _DESK)}
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
            of_addresses({one.email for one in self.said} | {*self.typed, *self.staff.values(), self.world.typed}),
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
    asked = {one.door.path for one in visits}
    every = {(name, kind) for name in names for kind, (_, fits) in WAYS.items() if name in known and fits(known[name])}
    return {
        *(f"{name}: no good answer" for name in names - well),
        *(f"{name} as {caller}" for name in names for caller in CALLERS if (name, caller) not in seen),
        *(f"{name}: never {kind}" for name, kind in every - tried if full),
        *(f"{one.name}: never {one.path}" for one in chosen(app) if one.settled().path not in asked),
        *(f"nowhere: {kind}" for kind in WAYS.keys() - {kind for _, kind in tried}),
    }
