"""Who asks at a door: one caller for each column of roles.txt, with a token and with a session; and what they got."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from werkzeug.test import TestResponse

from tests.desk.conftest import HOME, PASSWORD, Browser

from .doors import DOORS, Door
from .world import Place, World

ROLES = {
    "anonymous": (),
    "author": ("token",),
    "stranger": ("token",),
    "revoked": ("token",),
    "ended": ("session",),
    "viewer": ("token", "session"),
    "reader": ("token",),
    "moderator": ("token", "session"),
    "neighbour": ("token", "session"),
    "owner": ("token", "session"),
    "admin": ("token", "session"),
}
"""How each can say who they are. `author` wrote what is asked for, `stranger` something else; `reader` is a
moderator's token that may only read; the `neighbour` moderates the second site, all others belong to the first."""

SIGNED_OUT = ("anonymous", "author", "stranger", "revoked", "ended")
_TABLE = Path(__file__).parent / "roles.txt"
_ENDS_SESSIONS = ("/desk/sign-in", "/desk/sign-out")
_READS_AND_WRITES = ("GET /v1/events",)
"""Whoever reads the events gives their numbers to those that are due."""


@dataclass(frozen=True)
class Cell:
    """One door as one caller, about `own` or `other`: their site, and the one where they have no business."""

    door: Door
    role: str
    means: str
    at: str
    wanted: str

    @property
    def name(self) -> str:
        return f"{self.door.name} as {self.role} {self.means and f'by {self.means} '}about their {self.at} site"

    @property
    def is_refused(self) -> bool:
        """`in`: led to the sign-in page."""
        return self.wanted in ("in", "401", "403", "404")

    @property
    def changes(self) -> bool:
        return not self.is_refused and (self.door.changes or self.door.name in _READS_AND_WRITES)


@cache
def table() -> dict[str, dict[str, str]]:
    """roles.txt: `GET /v1/sites` → {role: what is wanted}. A row may be of sessions alone: `GET /x by session`."""
    heading, *lines = (line for line in _TABLE.read_text().splitlines() if line and not line.startswith("#"))
    assert heading.split() == ["door", *ROLES], "roles.txt has other columns than ROLES"
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        words = line.split()
        name, values = " ".join(words[: -len(ROLES)]), words[-len(ROLES) :]
        assert name not in found, f"{name} is twice in roles.txt"
        found[name] = dict(zip(ROLES, values, strict=True))
    return found


def cells(doors: Iterable[Door] = DOORS) -> list[Cell]:
    """Every door × every caller by every means × both sites."""
    return [
        Cell(door, role, means, at, _wanted(door, role, means, at))
        for door, role, at in product(doors, ROLES, ("own", "other"))
        for means in ROLES[role] or ("",)
    ]


def _wanted(door: Door, role: str, means: str, at: str) -> str:
    """A cell `200/404` says what it is at one's own site and at the other; one number stands for both."""
    row = table().get(f"{door.name} by {means}") or table()[door.name]
    own, _, other = row[role].partition("/")
    return (other or own) if at == "other" else own


class Callers:
    """Asks at doors as anybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._browsers: dict[str, SignedIn] = {}

    def own(self, role: str) -> Place:
        return self.world.b if role == "neighbour" else self.world.a

    def place(self, cell: Cell) -> Place:
        """The site that a cell is about."""
        own = self.own(cell.role)
        return own if cell.at == "own" else (self.world.a if own is self.world.b else self.world.b)

    def prepare(self, cell: Cell) -> None:
        """Let them come in, before anybody looks at what changes; and have something to send again."""
        if cell.means == "session":
            self.browser(cell.role)
        if cell.door.rule.endswith("/redeliver") and not cell.is_refused:
            place = self.place(cell)
            place.ids["delivery"] = self.world.delivery(place)

    def ask(self, cell: Cell) -> TestResponse:
        door = cell.door
        if cell.is_refused:  # nothing comes of it, so it need not be about something new
            door = door.settled()
        place = self.place(cell)
        if "Authorization" in door.headers:
            if cell.role == "author":  # the door's own request is that of who wrote what it is about
                return self.world.send(door, place)
            door = replace(door, headers={})
        if cell.means != "session":
            if not cell.means:
                return self.world.send(door, place)
            return self.world.send(door, place, Authorization=self._secret(cell.role, door, place))
        browser = self.browser(cell.role)
        answer = self.world.send(door, place, client=browser, Origin=HOME, X_CSRFToken=browser.csrf)
        if door.rule in _ENDS_SESSIONS:
            del self._browsers[cell.role]
        return answer

    def _secret(self, role: str, door: Door, place: Place) -> str:
        if role in ("author", "stranger"):
            said = {one.id: one for one in self.world.a.said}
            theirs = [said[id_] for name, id_ in place.ids.items() if f"{{{name}}}" in door.path and id_ in said]
            whose = theirs[0] if theirs else self.world.a.said[0]
            return f"Author {whose.token if role == 'author' else self.world.a.said[1].token}"
        tokens = self.own(role).tokens | {"admin": self.world.admin, "neighbour": self.world.b.tokens["moderator"]}
        return f"Bearer {tokens[role]}"

    def browser(self, role: str) -> SignedIn:
        """In which they are signed in, or were until somebody ended it."""
        if role not in self._browsers:
            key = self.own(role).site.key
            kind = {"ended": "viewer", "neighbour": "moderator"}.get(role, role)
            email = "admin@staff.example.org" if role == "admin" else f"{kind}@{key}.example.org"
            self._browsers[role] = SignedIn(self.world, email)
            if role == "ended":
                self._browsers[role].end()
        return self._browsers[role]


class SignedIn(Browser):
    """A browser that came in by the door, and knows the token of its pages."""

    def __init__(self, world: World, email: str, **more: str) -> None:
        super().__init__(world.app, world.app.test_client().response_wrapper, use_cookies=True)
        typed = {"email": email, "password": PASSWORD, "csrf_token": self._token_of("/desk/sign-in")} | more
        self.came_in = self.post("/desk/sign-in", data=typed, headers={"Origin": HOME})
        assert self.came_in.status_code == 303, self.came_in.text
        self.csrf = self._token_of("/desk/else/where")

    def _token_of(self, path: str) -> str:
        found = re.search('name="csrf_token"[^>]* value="([^"]+)"', self.get(path).text)
        assert found, f"no token on {path}"
        return found[1]

    def end(self) -> None:
        """Sign out, and keep the cookie of the session that ended."""
        (cookie,) = self._cookies.values()  # type: ignore[union-attr]
        answer = self.post("/desk/sign-out", data={"csrf_token": self.csrf}, headers={"Origin": HOME})
        assert answer.status_code == 303 and not self._cookies
        self.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
