"""The ways of asking at a door that go wrong, each on purpose, and those that go on where an answer ends."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, Protocol
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.test import TestResponse

from service.db import db

from .doors import Door
from .world import SOME_ID, World, filled, sent


class Asker(Protocol):
    """Who sends requests to a world: a sweep. `typed` and `secrets` are what it must look for afterwards."""

    world: World
    typed: list[str]
    secrets: dict[str, str]

    def client(self, caller: str) -> tuple[FlaskClient, dict[str, str]]: ...


def with_query(door: Door, query: str) -> Door:
    return replace(door, path=f"{door.path}{'&' if '?' in door.path else '?'}{query}")


class Asking:
    """One caller at one door. `may_see` collects what the answers may hold, since it was typed by the caller."""

    def __init__(self, sweep: Asker, door: Door, caller: str) -> None:
        self.sweep, self.caller = sweep, caller
        self.client, self.headers = sweep.client(caller)
        self.may_see: list[str] = []
        self.door = self._with_an_address_of_its_own(door)

    def _with_an_address_of_its_own(self, door: Door) -> Door:
        """Only a form shows an address to its sender again."""
        if door.form and "email" in door.form:
            return replace(door, form={**door.form, "email": self.typed()})
        if door.json and "email" in door.json:
            return replace(door, json={**door.json, "email": self.typed(seen_again=False)})
        return door

    def plain(self, door: Door | None = None, **headers: str) -> TestResponse:
        """The door's own request, about site `a`."""
        return self.sweep.world.send(
            door or self.door, self.sweep.world.a, client=self.client, **(self.headers | headers)
        )

    def body(self, body: bytes, kind: str) -> TestResponse:
        """The door's request with other bytes."""
        path = filled(self.settled().path, self.sweep.world.names(self.settled(), self.sweep.world.a))
        told = {
            "Accept": self.door.accept,
            **filled(dict(self.door.headers), self.sweep.world.names(self.settled(), self.sweep.world.a)),
        }
        told |= {name.replace("_", "-"): value for name, value in self.headers.items()}
        return sent(self.client, path, method=self.door.method, headers=told, data=body, content_type=kind)

    def settled(self) -> Door:
        """The door about a comment that waits: nothing new is made for a request which fails."""
        return self.door.settled()

    def typed(self, *, seen_again: bool = True) -> str:
        """An address that stands nowhere else; what was typed may be shown to its sender again."""
        self.sweep.typed.append(f"c{uuid4().hex}@typed-canary.example.org")
        if seen_again:
            self.may_see.append(self.sweep.typed[-1])
        return self.sweep.typed[-1]


Way = Callable[[Asking], Iterator[TestResponse]]
WAYS: dict[str, tuple[Way, Callable[[Door], bool]]] = {}


def _way(fits: Callable[[Door], bool] = lambda _: True) -> Callable[[Way], Way]:
    """Register a way of asking, for the doors that it fits."""

    def register(way: Way) -> Way:
        WAYS[way.__name__.replace("_", " ").strip()] = (way, fits)
        return way

    return register


def _changes(door: Door) -> bool:
    return door.changes


def _reads(door: Door) -> bool:
    return not door.changes


@_way()
def missing(asking: Asking) -> Iterator[TestResponse]:
    ids = dict.fromkeys(_IDS, str(SOME_ID))
    yield asking.plain(replace(asking.door, path=filled(asking.door.path, _KEPT | ids)))


@_way()
def bad_id(asking: Asking) -> Iterator[TestResponse]:
    ids = dict.fromkeys((*_IDS, "site"), "no-such-thing")
    yield asking.plain(replace(asking.door, path=filled(asking.door.path, _KEPT | ids)))


@_way()
def typed_into_the_address(asking: Asking) -> Iterator[TestResponse]:
    """As path and as query: 404 and 422 say which address was not found, and nobody else hears of it."""
    names = asking.sweep.world.names(asking.settled(), asking.sweep.world.a)
    path = filled(asking.settled().path, names).partition("?")[0]
    yield asking.plain(replace(asking.door, path=f"{path.rpartition('/')[0]}/{asking.typed()}"))
    yield asking.plain(with_query(asking.settled(), f"email={asking.typed()}&x={asking.typed()}"))


@_way(_reads)
def bad_cursor(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(with_query(asking.door, "cursor=WzEsMl0.canary&limit=x"))


@_way(_reads)
def page_by_page(asking: Asking) -> Iterator[TestResponse]:
    """Lists to their end, the smallest pages first."""
    before, next_door = None, with_query(asking.door, "limit=1")
    for _ in range(_MOST_PAGES):
        answer = asking.plain(next_door)
        yield answer
        found = _NEXT.search(answer.text)
        if not found or found[0] == before:
            return
        before = found[0]
        name, text = ("cursor", found["cursor"]) if found["cursor"] else ("after", found["after"])
        next_door = with_query(asking.door, f"limit=2&{name}={text}")


@_way(_reads)
def unchanged(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(If_None_Match="*")
    yield asking.plain(If_Match='"canary"')


@_way()
def odd(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(with_query(asking.settled(), "page=%00canary"))


@_way(lambda door: door.is_guarded)
def unknown_token(asking: Asking) -> Iterator[TestResponse]:
    """One that nobody has, and one that was taken back."""
    asking.sweep.secrets[f"token {uuid4().hex}"] = unknown = f"grm_{uuid4().hex}{'x' * 11}"
    for token in (unknown, asking.sweep.world.a.tokens["revoked"]):
        yield asking.plain(asking.settled(), Authorization=f"Bearer {token}")


@_way(_changes)
def type_(asking: Asking) -> Iterator[TestResponse]:
    yield asking.body(f"email={asking.typed(seen_again=False)}".encode(), "text/plain")


@_way(_changes)
def broken(asking: Asking) -> Iterator[TestResponse]:
    kind = "multipart/form-data; boundary=x" if asking.door.form is not None else "application/json"
    yield asking.body(f'{{"email": "{asking.typed(seen_again=False)}", "name": '.encode(), kind)


@_way(_changes)
def invalid(asking: Asking) -> Iterator[TestResponse]:
    """A form shows again what was typed; JSON is told which field is wrong, and never in the words that were."""
    if asking.door.form is not None:
        data = f"page=/x&body=&name=&email={asking.typed()}&seen={'x' * 60}&decision=none&lang=de"
        yield asking.body(data.encode(), "application/x-www-form-urlencoded")
        return
    one = asking.typed(seen_again=False)
    data = f'{{"page": "{one}", "decision": "{one}", "email": "{one}x y", "{asking.typed()}": 1, "site": "{one}"}}'
    yield asking.body(data.encode(), "application/json")


@_way(_changes)
def origin(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(asking.settled(), Origin="https://evil.example")


@_way(_changes)
def large(asking: Asking) -> Iterator[TestResponse]:
    kind = "application/json" if asking.door.form is None else "application/x-www-form-urlencoded"
    yield asking.body(b'{"email": "' + asking.typed(seen_again=False).encode() + b" " * 300_000, kind)


@_way(_changes)
def again(asking: Asking) -> Iterator[TestResponse]:
    """The same request: twice under one key, then without, then in spite of whoever was faster."""
    names = asking.sweep.world.names(asking.settled(), asking.sweep.world.a)
    same = replace(asking.settled(), json=filled(asking.door.json, names), form=filled(asking.door.form, names))
    key = f"key-{uuid4().hex}"
    asking.sweep.secrets[f"idempotency key {key}"] = key
    for headers in ({"Idempotency_Key": key}, {"Idempotency_Key": key}, {}, {"If_Match": "*"}):
        yield asking.plain(replace(same, headers={}), **headers)


@_way(lambda door: door.headers.get("If-Match") == "*" or "decision" in door.rule)
def stale(asking: Asking) -> Iterator[TestResponse]:
    seen = {**asking.door.form, "seen": '"0"'} if asking.door.form is not None else None
    yield asking.plain(replace(asking.settled(), form=seen), If_Match='"0"')


@_way()
def method(asking: Asking) -> Iterator[TestResponse]:
    for other in ("DELETE", "HEAD", "OPTIONS"):
        yield asking.plain(replace(asking.settled(), method=other, json=None, form=None))


@_way()
def crashed(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(asking.settled())


@_way()
def locked(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(asking.settled())


@_way(_changes)
def limited(asking: Asking) -> Iterator[TestResponse]:
    yield asking.plain(asking.settled())


_IDS = (
    "approved", "pending", "fresh", "page_id", "bulk", "decision", "kept", "rule", "new_rule", "published", "token",
    "member", "newcomer", "invite", "endpoint", "new_endpoint", "delivery",
)  # fmt: skip
_KEPT = {name: f"{{{name}}}" for name in (*_IDS, "site", "page", "style")}
_NEXT = re.compile(r'(?:cursor=|"(?:replies_)?next": ?")(?P<cursor>[\w.%-]{20,})|"next": ?(?P<after>[1-9]\d*)')
_MOST_PAGES = 30


@contextmanager
def _crashing(app: Flask, private: str) -> Iterator[None]:
    """Every view fails as a database makes it fail, quoting what it was given."""

    def crash(**_: Any) -> None:
        row = ValueError(f"Failing row contains ({private}).")
        raise IntegrityError("INSERT INTO comments VALUES (:all)", {"all": private}, row)

    views = dict(app.view_functions)
    for name, view in views.items():
        app.view_functions[name] = wraps(view)(crash)  # type: ignore[assignment]
    try:
        yield
    finally:
        app.view_functions.update(views)


@contextmanager
def _locked(_app: Flask, private: str) -> Iterator[None]:
    """The database refuses every statement."""

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        raise OperationalError(statement, {"all": private}, sqlite3.OperationalError(f"database is locked: {private}"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


@contextmanager
def _limited(app: Flask, _private: str) -> Iterator[None]:
    """Every limit is used up."""
    counter = app.extensions["greenroom_limits"]
    counter.count = lambda _asked: (False, [])
    try:
        yield
    finally:
        del counter.count


AROUND: dict[str, Callable[[Flask, str], AbstractContextManager[None]]] = {
    "crashed": _crashing,
    "locked": _locked,
    "limited": _limited,
}
