"""What must hold of every answer, whatever was asked; and the judge who asks, looks, and counts."""

from __future__ import annotations

import json
import sqlite3
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import psycopg
from werkzeug.test import TestResponse

from service.db import db, transaction
from tests.conftest import empty

from .doors import Door
from .hostile import Bad, content_type
from .in_person import InPerson
from .world import World, changed, filled, sent, snapshot, tables

MOST_SECONDS = 2.0
"""Of the processor's time for one request, however bad."""

WRITES_WHEN_REFUSED = {
    "POST /desk/sign-in": "a failed sign-in is written down, with no word of what was typed",
    "POST /desk/sign-in/code": "so is a code that is wrong",
    "POST /desk/sign-in/passkey": "so is a passkey that opens nothing",
    "POST /desk/account": "and a password that is wrong, where it is asked for again",
    "POST /desk/account/passkey": "the same",
    "POST /v1/tokens": "the same",
    "POST /desk/team": "the same",
    "POST /v1/moderators/invites": "the same",
    "PATCH /v1/moderators/<uuid:moderator_id>": "the same",
}
WHERE_IT_IS_WRITTEN = {"audit_entries", "audit_details", "audit_heads"}
"""And nowhere else: all other tables stay as they are."""
_ROUNDS = 300
"""Accepted requests after which the world is put back: full tables would make everything slow."""

_INSIDES = ("Traceback", "sqlalchemy", "psycopg", 'File "/')


class Judge:
    """Sends requests and says everything that must not be."""

    def __init__(self, world: World, written: Callable[[], int]) -> None:
        self.world = world
        self.seen: Counter[int] = Counter()
        self.doors: set[str] = set()
        self.round_trips = 0
        self.slowest = 0.0
        self.last: TestResponse
        self._written = written
        self._put_back()

    def _put_back(self) -> None:
        empty()
        if db.engine.dialect.name == "postgresql":  # else it reads on and on through what was deleted
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
        self.world = self.world.again()
        self._settle()
        self._person = InPerson(self.world)
        self._accepted, self._fresh, self._held, self._kept, self._newcomer = 0, "", "", "", ""
        self._decided: tuple[str, str] | None = None
        self._made: dict[str, str] = {}

    def _settle(self) -> None:
        """What is stored now is what the next request finds."""
        self.rows, self._mark = counted(), self._written()

    def try_(self, bad: Bad) -> list[str]:
        """What is wrong with the answer to a request, and with what it left behind."""
        if self._accepted >= _ROUNDS:
            self._put_back()
        bad = self._about_something_new(bad)
        stored = snapshot() if bad.door.name in WRITES_WHEN_REFUSED else {}
        started = time.process_time()
        self.last = answer = self.send(bad)
        took = time.process_time() - started
        self.slowest = max(self.slowest, took)
        self.seen[answer.status_code] += 1
        self.doors.add(bad.door.name)
        wrong = list(faults(answer, bad.door))
        if took > MOST_SECONDS:
            wrong.append(f"took {took:.1f} s")
        if self._written() != self._mark:
            wrong += self._look_at_rows(bad, answer, stored)
        return [f"{bad.shown}: {what}" for what in wrong]

    def _about_something_new(self, bad: Bad) -> Bad:
        """With a comment that nobody has decided yet, where the door wants one, and with somebody at a browser; made
        before anything is counted."""
        if InPerson.is_wanted(bad.door):
            self._person.get_ready(bad.door)
            self._settle()
        if bad.door.wants_change:
            if not self._held:
                self._held = self.world.wish(self.world.a)
                self._settle()
            return replace(bad, door=bad.door.deciding_on(self._held))
        if bad.door.undoes:
            if not self._decided:
                self._decided = self.world.decided(self.world.a)
                self._settle()
            return replace(bad, door=bad.door.undoing(*self._decided))
        if "{kept}" in bad.door.path:
            if not self._kept:
                self._kept = self.world.keep(self.world.a)
                self._settle()
            return replace(bad, door=replace(bad.door, path=bad.door.path.replace("{kept}", self._kept)))
        made = {
            "{new_rule}": self.world.rule, "{published}": self.world.published, "{new_endpoint}": self.world.endpoint,
        }  # fmt: skip
        for name, make in made.items():
            if name in bad.door.path:
                if not self._made.get(name):
                    self._made[name] = make(self.world.a)
                    self._settle()
                return replace(bad, door=replace(bad.door, path=bad.door.path.replace(name, self._made[name])))
        if "{newcomer}" in bad.door.path:
            if not self._newcomer:
                with transaction():
                    self._newcomer = self.world.member(self.world.a)
                self._settle()
            return replace(bad, door=replace(bad.door, path=bad.door.path.replace("{newcomer}", self._newcomer)))
        if "{fresh}" not in bad.door.path:
            return bad
        if not self._fresh:
            self._fresh = self.world.say(self.world.a)
            self._settle()
        (author,) = (one.token for one in self.world.a.said if one.id == self._fresh)
        headers = {name: text.replace("{author}", author) for name, text in bad.door.headers.items()}
        path = bad.door.path.replace("{fresh}", self._fresh)
        return replace(bad, door=replace(bad.door, path=path, headers=headers))

    def send(self, bad: Bad) -> TestResponse:
        door, world = bad.door, self.world
        who = {"Authorization": f"Bearer {world.admin}"} if door.is_guarded else {}
        client = world.app.test_client()
        if "Authorization" in door.headers:
            who = {}
        if InPerson.is_wanted(door):
            client, who = self._person.browser(door)
        if bad.raw is None:
            return world.send(door, world.a, client=client, **who)
        path = filled(door.path, world.names(door, world.a))
        headers = {"Accept": door.accept, **filled(dict(door.headers), world.names(door, world.a)), **who}
        kind = bad.kind or content_type(door)
        claimed = {} if bad.length is None else {"CONTENT_LENGTH": bad.length}
        return sent(
            client, path, method=door.method, headers=headers, data=bad.raw, content_type=kind,
            environ_overrides=claimed,
        )  # fmt: skip

    def _look_at_rows(self, bad: Bad, answer: TestResponse, stored: dict[str, str]) -> list[str]:
        """Something was written: by a request that was accepted, which is then read back, or else by none.

        `stored`: what was there before a door that may write something all the same.
        """
        before = self.rows
        self._settle()
        if answer.status_code < 400:
            self._accepted += 1
            if InPerson.is_wanted(bad.door):
                self._person.is_done(bad.door)
            if (bad.door.form or {}).get("deed") == "password":
                self._accepted = _ROUNDS  # nobody could come in after this
            if bad.door.rule.endswith("/decision") or bad.door.name == "DELETE /v1/mine":
                self._fresh = ""
            if bad.door.rule.endswith("/undo"):
                self._decided = None
            if "<uuid:rule_id>" in bad.door.rule:
                self._made.pop("{new_rule}", None)
            if bad.door.name == "DELETE /v1/webhooks/endpoints/<uuid:endpoint_id>":
                self._made.pop("{new_endpoint}", None)
            if "<uuid:filter_id>" in bad.door.rule:
                self._kept = ""
            if "revision" in bad.door.rule:
                self._held = ""
            if bad.door.name.startswith("DELETE /v1/moderators/"):
                self._newcomer = ""
            return self._read_back(bad, answer)
        if stored:
            elsewhere = [one for one in changed(stored) if one not in WHERE_IT_IS_WRITTEN]
            return [f"{answer.status_code}, and {elsewhere} changed"] if elsewhere else []
        if self.rows != before:
            return [f"{answer.status_code}, and the number of rows changed"]
        return self._ask_again(bad)

    def _ask_again(self, bad: Bad) -> list[str]:
        """No row more and no row less: then which table was written to, if not to note that somebody was here.

        Or if PostgreSQL did not write by itself, which vacuums when it likes. What was refused for what stood there
        before, such as a key that was used, is accepted now, and then that it wrote says nothing.
        """
        self._put_back()
        bad = self._about_something_new(bad)
        stored = snapshot()
        answer = self.send(bad)
        written = changed(stored) if answer.status_code >= 400 else []
        self._settle()
        return [f"{answer.status_code}, and {written} changed"] if written else []

    def _read_back(self, bad: Bad, answer: TestResponse) -> list[str]:
        reader = KEEPS.get((bad.door.name, bad.field))
        if reader is None:
            return []
        kept, wanted = reader(self.world, answer), unicodedata.normalize("NFC", bad.text)
        found = [] if unicodedata.is_normalized("NFC", kept) else [f"{kept!r} is no NFC"]
        if plain(wanted):
            self.round_trips += 1
            found += [] if kept == wanted else [f"{wanted!r} came back as {kept!r}"]
        return found


def plain(text: str) -> bool:
    """Whether a text holds nothing that could be tidied: visible characters, single blanks between them."""
    return text.isprintable() and text == " ".join(text.split()) and not any(map(unicodedata.combining, text))


def _comment(world: World, comment_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.ask(world.a, "moderator", "GET", f"/v1/moderation/comments/{comment_id}").json
    return found


def _newest(world: World) -> dict[str, Any]:
    """The comment that came last; a form's answer names none that is held."""
    listed = world.ask(world.a, "moderator", "GET", "/v1/moderation/comments?site=blog&sort=newest&limit=1").json
    found: dict[str, Any] = listed["comments"][0]
    return found


Reader = Callable[[World, TestResponse], str]
_SUBMIT, _FORM = "POST /v1/sites/<site>/comments", "POST /embed/<site>/comments"
_EDIT, _EDIT_AT_DESK = "PATCH /v1/moderation/comments/<uuid:comment_id>", "POST /desk/comments/<uuid:comment_id>"

KEEPS: Mapping[tuple[str, str], Reader] = {
    (_SUBMIT, "name"): lambda world, answer: str(_comment(world, answer.json["id"])["author"]["name"]),
    (_SUBMIT, "body"): lambda world, answer: str(_comment(world, answer.json["id"])["text"]),
    (_FORM, "name"): lambda world, _: str(_newest(world)["author"]["name"]),
    (_FORM, "body"): lambda world, _: str(_newest(world)["text"]),
    (_EDIT, "body"): lambda world, _: str(_comment(world, world.a.ids["approved"])["text"]),
    (_EDIT_AT_DESK, "body"): lambda world, _: str(_comment(world, world.a.ids["approved"])["text"]),
    ("PATCH /v1/pages/<uuid:page_id>", "title"): lambda _, answer: str(answer.json["title"] or ""),
}
"""Where people's words are stored as they are, and how they are read again."""


def faults(answer: TestResponse, door: Door) -> Iterator[str]:
    """What is wrong with an answer, whatever was asked."""
    status, kind = answer.status_code, answer.mimetype
    if status >= 500:
        yield str(status)
    if status < 400:
        return
    if kind == "text/html":
        if "text/html" not in answer.request.headers.get("Accept", "") and not door.is_desk:
            yield f"{status} is a page, and nobody asked for one"
        elif "<html" not in answer.text and not answer.request.headers.get("HX-Request"):
            yield f"{status} is text/html and no page"
    elif kind != "application/problem+json":
        yield f"{status} is {kind}"
    elif answer.request.method != "HEAD":
        yield from misshapen(status, answer.get_data())
    if any(word in answer.text for word in _INSIDES):
        yield "tells of our insides"


def misshapen(status: int, body: bytes) -> Iterator[str]:
    """How a problem is not what RFC 9457 and our own document say."""
    told = json.loads(body)
    for name in ("type", "title", "detail", "instance"):
        if not isinstance(told.get(name), str) or not told[name]:
            yield f"{status} without {name}"
    if told.get("status") != status:
        yield f"{status} says {told.get('status')}"
    for field, found in told.get("errors", {}).items():
        for one in found:
            if set(one) != {"code", "detail"}:
                yield f"errors.{field} is {one}"


def counted() -> dict[str, int]:
    """How many rows each table has."""
    with db.engine.connect() as connection:
        numbers = connection.exec_driver_sql(_count_all()).one()
    return dict(zip((table.name for table in tables()), numbers, strict=True))


def grown(before: Mapping[str, int], door: str) -> list[str]:
    """The tables that have more or fewer rows than before, though a request of this door was refused."""
    may = WHERE_IT_IS_WRITTEN if door in WRITES_WHEN_REFUSED else set()
    return [name for name, number in counted().items() if number != before[name] and name not in may]


@cache
def _count_all() -> str:
    return "SELECT " + ", ".join(f"(SELECT count(*) FROM {table.name})" for table in tables())


@contextmanager
def written_mark() -> Iterator[Callable[[], int]]:
    """A number that is another one whenever something was committed: the database's own, so it costs nothing."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "", isolation_level=None)) as lite:
            yield lambda: int(lite.execute("PRAGMA data_version").fetchone()[0])
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as pg:
        yield lambda: int((pg.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone() or [0])[0])
