"""Every column of every model as a field that a request should not have, with a value that would be worth having."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from werkzeug.test import TestResponse

from service.accounts import invites
from service.accounts.models import Moderator
from service.db import Base, db, transaction
from tests.desk.conftest import HOME, PASSWORD, Browser

from .callers import SignedIn
from .doors import DOORS, Door
from .world import World, stored_rows

WORD, WHOLE, BROKEN, YEAR = "planted", 7_654_321, 7_654.25, 1987
_ARGUMENT = re.compile("<(?:[a-z]+:)?([a-z_]+)>")
_TRACES = (WORD, str(WHOLE), str(BROKEN), f"datetime({YEAR}")

_COMES_AND_GOES = ("hold_reasons", "api_tokens", "reject_reasons")
"""How often somebody writes is a reason to hold a comment; when a token was last used is noted now and then; and a list
that is put in the place of another one changes what was there."""

STEPS = ("POST /desk/sign-in/code", "POST /desk/sign-in/passkey", "POST /desk/account/passkey")
"""Steps of signing in, of somebody who is signed in, and of adding a passkey: they change nothing."""


def columns(world: World) -> dict[str, Any]:
    """Name → what somebody would like to stand there. Ids are of the other site's things."""
    found: dict[str, Any] = {}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            found[column.name] = _wish(column.name, column.type.python_type, world)
    return found


def _wish(name: str, kind: type, world: World) -> Any:
    if name == "status":
        return "approved"
    if kind is UUID:
        return {"site_id": str(world.b.site.id), "page_id": world.b.ids["page_id"]}.get(name, world.b.ids["approved"])
    wishes: dict[type, Any] = {bool: True, int: WHOLE, float: BROKEN, datetime: f"{YEAR}-06-05T04:03:02Z"}
    return wishes.get(kind, f"{WORD} {name}")


@dataclass(frozen=True)
class Shape:
    """One object in the body of a door, by the document of the API: the names it has, and a body with more of them."""

    door: Door
    own: frozenset[str]
    body: Callable[[Mapping[str, Any]], Any]


def shapes(app: Flask) -> dict[str, list[Shape]]:
    """`POST /v1/pages` → its shapes, for every JSON body that the document has; one of no names where there is none."""
    document = app.test_client().get("/openapi.json").json
    found = {}
    for door in DOORS:
        path = _ARGUMENT.sub(r"{\1}", door.rule)
        told = document["paths"].get(path, {}).get(door.method.lower(), {})
        if "requestBody" in told:
            (media,) = told["requestBody"]["content"].values()
            found[door.name] = list(_shapes(document, door, media["schema"], partial(_merged, door.json)))
        elif told and door.changes:
            found[door.name] = [Shape(door, frozenset(), dict)]
    return found


def _merged(one: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, **more}


def _shapes(document: Any, door: Door, schema: Any, body: Callable[[Any], Any]) -> Iterator[Shape]:
    """The object and those that are in it, or in a list of it."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "properties" not in schema:
        return
    yield Shape(door, frozenset(schema["properties"]), body)
    for name, inner in schema["properties"].items():
        many = "items" in inner
        wrapped = partial(_wrapped, body, name, many)
        yield from _shapes(document, door, inner["items"] if many else inner, wrapped)


def _wrapped(body: Callable[[Any], Any], name: str, many: bool, more: Any) -> Any:
    return body({name: [more] if many else more})


def send_json(world: World, shape: Shape, more: Mapping[str, Any]) -> TestResponse:
    door = replace(shape.door, json=shape.body(more)).settled()
    if door.is_public:
        return world.send(door, world.a)
    return world.send(door, world.a, Authorization=f"Bearer {world.a.tokens['owner']}")


class Browsing:
    """Sends forms as a browser of an owner, or of a visitor, would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = SignedIn(world, "owner@blog.example.org")

    def send(self, door: Door, more: Mapping[str, Any]) -> TestResponse:
        typed = {name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}
        if door.rule == "/desk/sign-in":
            return SignedIn(self.world, "owner@blog.example.org", **typed).came_in
        if door.rule == "/desk/sign-up":
            return self._sign_up(door, typed)
        browser = SignedIn(self.world, "viewer@blog.example.org") if door.rule == "/desk/sign-out" else self.owner
        door = replace(door, form={**(door.form or {}), **typed})
        if door.is_public:
            return self.world.send(door, self.world.a)
        return self.world.send(door, self.world.a, client=browser, Origin=HOME, X_CSRFToken=browser.csrf)

    def _sign_up(self, door: Door, typed: Mapping[str, str]) -> TestResponse:
        """Somebody accepts an invitation of their own."""
        with transaction():
            owner = db.session.query(Moderator).filter_by(email="owner@blog.example.org").one()
            made = invites.invite(self.world.a.site.id, "viewer", "", actor=f"moderator:{owner.id}")
        client = Browser(self.world.app, self.world.app.test_client().response_wrapper, use_cookies=True)
        csrf = SignedIn._token_of(client, "/desk/sign-in")  # type: ignore[arg-type]
        form = {"invite": made.secret, "accept": "yes", "email": f"{uuid4().hex}@new.example.org", "name": "Kim"}
        form |= {"password": PASSWORD, "csrf_token": csrf}
        return client.post(door.path, data={**typed, **form}, headers={"Origin": HOME})


class Effect:
    """What came of a request: the rows that are new or other than before."""

    def __init__(self, send: Callable[[], TestResponse]) -> None:
        before = _lines()
        self.status = send().status_code
        self.rows = {line: row for line, row in _lines().items() if line not in before}

    def traces(self, world: World) -> list[str]:
        """The rows that hold something of what was planted."""
        traces = (*_TRACES, *map(repr, [UUID(world.b.ids["approved"]), UUID(world.b.ids["page_id"]), world.b.site.id]))
        return [line for line in self.rows if any(trace in line for trace in traces)]

    @property
    def flags(self) -> list[str]:
        """How the rows stand in words and truths that could have been planted."""
        kept = [(table, row) for table, row in self.rows.values() if table not in _COMES_AND_GOES]
        return sorted(f"{table} {_flags(row)}" for table, row in kept)


def _lines() -> dict[str, tuple[str, dict[str, Any]]]:
    return {f"{table.name} {row}": (table.name, row) for table, rows in stored_rows().items() for row in rows}


def _flags(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if isinstance(value, bool) or name == "status"}
