"""No address, IP, token, or anything made of one, in any byte that anybody is sent, nor in logs, events or rows.

Every method of every rule is visited by six callers in many ways, right and wrong; a rule that never answers well
fails the test. Only the moderators of a comment's own site are told its address, when they ask to reveal it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from service import logs
from service.comments import public
from service.comments.models import Comment
from service.db import Base, db
from tests.support import PROOFS
from tests.transfer.exports import comment, export, item, saved

from .doors import DOORS, Door
from .leaks import leaks, of_addresses, of_columns, of_networks, of_secrets
from .world import SOME_ID, Said, World, filled, rules, sent

SENDERS = ("203.0.113.77", "2001:db8:77:7::77")
ACCEPTED = ("application/json", "text/html", "*/*")
OWN = ("viewer", "moderator")
ERRORS = (
    "missing",
    "bad id",
    "bad cursor",
    "type",
    "broken",
    "invalid",
    "origin",
    "large",
    "method",
    "HEAD",
    "OPTIONS",
)

NEVER_WELL = {
    "POST /desk/sign-in": "nobody here has a password; tests/accounts signs in, and the redirect holds nothing",
}
"""Doors that answer no request of the sweep with 2xx or 3xx, and why that is no gap."""


@dataclass
class Visit:
    """An answer: to whom, about what, and all its bytes."""

    caller: str
    door: Door
    kind: str
    answer: TestResponse

    @property
    def name(self) -> str:
        return f"{self.kind} {self.door.name} as {self.caller} for {self.door.accept} ({self.answer.status_code})"

    @property
    def raw(self) -> bytes:
        return str(self.answer.headers).encode() + self.answer.get_data()


class Sweep:
    """All visits to a world, by everybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed = [Said(email=world.typed, ip=SENDERS[0])]
        """Addresses in forms that come back with what was typed: their sender alone may see them there."""
        self.callers = {
            "anonymous": {},
            "author": {"Authorization": f"Author {world.a.said[0].token}"},
            "viewer": _bearer(world.a.tokens["viewer"]),
            "moderator": _bearer(world.a.tokens["moderator"]),
            "foreign": _bearer(world.b.tokens["moderator"]),
        }

    def visits(self) -> Iterator[Visit]:
        """Everybody at every door in every way; in the quick suite callers and formats take turns."""
        wrong = ("anonymous", "moderator", "foreign")
        for index, door in enumerate(DOORS):
            for turn, caller in enumerate(self.callers):
                for accept in ACCEPTED if PROOFS > 1 or caller == "anonymous" else ACCEPTED[(turn + index) % 2 :][:1]:
                    yield self.visit(replace(door, accept=accept), caller, "right")
                for number, kind in enumerate(ERRORS):
                    accept = ACCEPTED[(number + index) % 2]
                    if caller in wrong if PROOFS > 1 else caller == wrong[(number + index) % 3]:
                        yield self.visit(replace(door, accept=accept), caller, kind)

    def visit(self, door: Door, caller: str, kind: str) -> Visit:
        client = self.world.app.test_client()
        client.environ_base["REMOTE_ADDR"] = SENDERS[kind == "right"]
        told = self.callers[caller] | {"X-Forwarded-For": SENDERS[0]}
        names = {name.replace("-", "_"): value for name, value in told.items()}
        return Visit(caller, door, kind, getattr(self, f"_{kind.replace(' ', '_')}")(door, client, names))

    def _right(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self.world.send(door, self.world.a, client=client, **names)

    def _missing(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        ids = dict.fromkeys(("approved", "pending", "fresh", "page_id", "bulk"), str(SOME_ID))
        return self._right(replace(door, path=filled(door.path, _KEPT | ids)), client, names)

    def _bad_id(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        ids = dict.fromkeys(("approved", "pending", "fresh", "page_id", "bulk", "site"), "no-such-thing")
        return self._right(replace(door, path=filled(door.path, _KEPT | ids)), client, names)

    def _bad_cursor(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        more = "cursor=WzEsMl0.canary&limit=x"
        path = f"{_pending(door).path}{'&' if '?' in door.path else '?'}{more}"
        return self._right(replace(_pending(door), path=path), client, names)

    def _type(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self._body(door, client, names, f"email={self._address()}".encode(), "text/plain")

    def _broken(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        kind = "multipart/form-data; boundary=x" if door.form is not None else "application/json"
        return self._body(door, client, names, f'{{"email": "{self._address()}", "name": '.encode(), kind)

    def _invalid(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        if door.form is not None:
            self.typed.append(Said(email=f"c{SOME_ID.hex}{len(self.typed)}@leak-canary.example.org", ip=SENDERS[0]))
            data = f"page=/x&body=&name=&email={self.typed[-1].email}&seen={'x' * 60}&decision=none"
            return self._body(door, client, names, data.encode(), "application/x-www-form-urlencoded")
        # The address in the wrong field: nobody may repeat it in an error.
        data = f'{{"page": "{self._address()}", "decision": "{self._address()}", "email": "{self._address()}x y"}}'
        return self._body(door, client, names, data.encode(), "application/json")

    def _origin(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self.world.send(_pending(door), self.world.a, client=client, Origin="https://evil.example", **names)

    def _large(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        kind = "application/json" if door.form is None else "application/x-www-form-urlencoded"
        body = b'{"email": "' + self._address().encode() + b" " * 300_000
        return self._body(door, client, names, body, kind)

    def _method(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self._right(replace(_pending(door), method="DELETE", json=None, form=None), client, names)

    def _HEAD(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self._right(replace(_pending(door), method="HEAD", json=None, form=None), client, names)

    def _OPTIONS(self, door: Door, client: FlaskClient, names: dict[str, str]) -> TestResponse:
        return self._right(replace(_pending(door), method="OPTIONS", json=None, form=None), client, names)

    def _body(self, door: Door, client: FlaskClient, names: dict[str, str], body: bytes, kind: str) -> TestResponse:
        told = {"Accept": door.accept, **door.headers} | {name.replace("_", "-"): one for name, one in names.items()}
        path = filled(_pending(door).path, self.world.names(_pending(door), self.world.a))
        return sent(
            client, path, method=door.method, headers=told, data=body if door.changes else b"", content_type=kind
        )

    def _address(self) -> str:
        """A canary for a request that is refused: nothing comes of it, and nobody repeats it."""
        return self.world.a.said[0].email


_KEPT = {name: f"{{{name}}}" for name in ("site", "page", "approved", "pending", "page_id", "bulk", "fresh", "style")}


def _pending(door: Door) -> Door:
    """The same door about a comment that waits, so that nothing new is made for a request which fails."""
    return replace(door, path=door.path.replace("{fresh}", "{pending}"))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that the real logging writes, from DEBUG on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("DEBUG")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def imported(world: World, tmp_path: Path) -> Said:
    """A comment out of somebody's old system, with its address and IP."""
    said = Said(email=f"c{SOME_ID.hex}i@leak-canary.example.org", ip="203.0.113.201")
    old = comment(author_email=said.email, author_IP=said.ip, content=f"{world.a.mark} from long ago")
    path = saved(tmp_path, export(item(old, link="https://blog.example.org/old/")))
    done = world.app.test_cli_runner().invoke(args=["import", "wordpress", str(path), "--site", "blog"])
    assert done.exit_code == 0, done.output
    assert said.email not in done.output
    world.a.said.append(said)
    return said


def shared_by(visit: Visit, world: World) -> bool:
    """Whether the answer reveals an address to somebody who may see it."""
    return visit.caller == "moderator" and visit.door.rule.endswith("/reveal") and visit.answer.status_code == 200


def swept(world: World) -> tuple[list[Visit], Sweep]:
    sweep = Sweep(world)
    return list(sweep.visits()), sweep


def found_in(visits: list[Visit], world: World) -> list[str]:
    """Leaks in what was answered. A site's own people are told its network labels, and nobody else."""
    kept = [one for one in visits if not shared_by(one, world)]
    said = [*world.a.said, *world.b.said]
    everybody = (of_addresses(said), of_networks({one.ip for one in said} | set(SENDERS)), of_secrets(world))
    columns = (of_columns([world.a, world.b], labels=False),)
    strangers = {f"{n} {one.name}": one.raw for n, one in enumerate(kept) if one.caller not in OWN}
    friends = {f"{n} {one.name}": one.raw for n, one in enumerate(kept) if one.caller in OWN}
    return [
        *leaks(strangers, *everybody, of_columns([world.a])),
        *leaks(friends, *everybody, *columns, of_columns([world.b])),
    ]


def unvisited(visits: list[Visit], app: Flask) -> set[str]:
    """Rules that nobody got a good answer from."""
    well = {one.door.name for one in visits if one.kind == "right" and one.answer.status_code < 400}
    return {name for name, _ in rules(app)} - well


def test_nobody_is_sent_an_address(log: io.StringIO, world: World, imported: Said) -> None:
    visits, sweep = swept(world)
    assert len(visits) >= (2_000 if PROOFS > 1 else 700)
    assert len({one.answer.status_code for one in visits}) >= 12
    assert unvisited(visits, world.app) == set(NEVER_WELL)
    assert found_in(visits, world) == []
    _nothing_is_kept(world, sweep, log)


def _nothing_is_kept(world: World, sweep: Sweep, log: io.StringIO) -> None:
    """Logs, rows, files and the process itself, after everything was visited."""
    said = [*world.a.said, *world.b.said, *sweep.typed]
    addresses, secrets = of_addresses(said), of_secrets(world)
    networks = of_networks({one.ip for one in said} | set(SENDERS))
    columns = of_columns([world.a, world.b])
    lines = log.getvalue().encode()
    assert lines.count(b"\n") > (2_000 if PROOFS > 1 else 700)
    assert (
        leaks({"log": lines, "arguments": Path("/proc/self/cmdline").read_bytes()}, addresses, networks, secrets) == []
    )
    assert leaks({"log": lines}, columns) == []
    kept = stored()
    assert len(kept) >= 20
    assert leaks(kept, addresses, networks, secrets) == []
    assert leaks({name: kept[name] for name in ("events", "audit_details", "audit_entries")}, columns) == []


def stored() -> dict[str, bytes]:
    """All rows of every table, and the bytes of an SQLite database: its file and its log."""
    found = {}
    with db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(text(f"SELECT * FROM {table.name}"))
            found[table.name] = b"\n".join(_plain(value) for row in rows for value in row)
    place = db.engine.url.database or ""
    for path in (Path(place), Path(f"{place}-wal")):
        if path.is_file():
            found[path.name] = path.read_bytes()
    return found


def _plain(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def test_a_moderator_of_the_site_is_told_when_they_ask(world: World) -> None:
    """And only then: the control of what `shared_by` leaves out."""
    wanted = next(one for one in world.a.said if one.id == world.a.ids["pending"])
    for door in (one for one in DOORS if one.rule.endswith("/reveal")):
        told = Sweep(world).visit(door, "moderator", "right")
        assert shared_by(told, world)
        assert leaks({"reveal": told.raw}, of_addresses([wanted]))
        others = [one for one in world.a.said if one.email != wanted.email]
        assert leaks({"reveal": told.raw}, of_addresses(others)) == []
        assert not shared_by(Sweep(world).visit(door, "foreign", "right"), world)


def test_searching_for_an_address_finds_nothing(world: World) -> None:
    """Else an address could be guessed letter by letter."""
    said = world.a.said[0]
    for wanted in (
        said.email,
        said.email[:8],
        said.email.partition("@")[0],
        "leak-canary",
        said.ip,
        said.email.lower(),
    ):
        answer = world.ask(world.a, "moderator", "GET", "/v1/moderation/comments", query_string={"q": wanted})
        assert answer.json["comments"] == [], wanted
    seen = world.ask(world.a, "moderator", "GET", "/v1/moderation/comments", query_string={"q": world.a.mark})
    assert len(seen.json["comments"]) >= 6


def test_a_shape_with_the_address_in_it_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the sweep: a view that tells one column more."""
    told = public.told
    email = next(one.email for one in world.a.said if one.id == world.a.ids["approved"])
    doors = [door for door in DOORS if door.rule in ("/v1/sites/<site>/thread", "/v1/sites/<site>/latest")]
    monkeypatch.setattr(public, "told", lambda row: told(row) | {"author": told(row)["author"] | {"email": email}})
    visits = [Sweep(world).visit(door, "anonymous", "right") for door in doors]
    assert len({line.partition(":")[0] for line in found_in(visits, world)}) == 2


def test_every_disguise_is_seen(world: World) -> None:
    """The control of the needles: one address, IP, seal, index and label, each as it might slip out."""
    said = next(one for one in world.a.said if one.id == world.a.ids["approved"])
    row = db.session.query(Comment).filter_by(site_id=world.a.site.id).order_by(Comment.id).first()
    assert row is not None and row.email_sealed and row.email_index and row.network_label
    disguises = [
        said.email.upper(),
        hashlib.md5(said.email.lower().encode()).hexdigest(),
        base64.urlsafe_b64encode(hashlib.sha256(said.email.encode()).digest()).decode(),
        base64.b64encode(said.email.encode()).decode(),
        said.email.replace("@", "&#64;"),
        said.email.replace("@", "=40"),
        said.ip.replace(":", "%3A"),
        hashlib.sha1(said.ip.encode()).hexdigest(),
        row.email_sealed.decode(),
        row.email_index.hex().upper(),
        row.network_label,
    ]
    needles = (of_addresses([said]), of_networks([said.ip]), of_columns([world.a]))
    unseen = [one for one in disguises if not leaks({"answer": f"<p>{one}</p>".encode()}, *needles)]
    assert unseen == []
    assert leaks({"answer": b"<p>nothing</p>"}, *needles) == []


def test_a_line_past_the_redaction_is_seen(log: io.StringIO, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the log: what the formatter takes out would have been found."""
    said = world.a.said[0]
    logging.getLogger("service.test").warning("%s from %s", said.email, said.ip)
    assert "[email] from [ip]" in log.getvalue()
    needles = (of_addresses([said]), of_networks([said.ip]))
    assert leaks({"log": log.getvalue().encode()}, *needles) == []
    monkeypatch.setattr(logs, "redact", lambda line: line)
    logging.getLogger("service.test").warning("%s from %s", said.email, said.ip)
    assert leaks({"log": log.getvalue().encode()}, *needles)


def test_a_process_is_started_without_secrets(app: Flask) -> None:
    """No command takes a password, token or key on its command line, where every user of the machine may read it."""
    told = [
        f"{name} {parameter.name}"
        for name, command in _commands(app.cli)
        for parameter in command.params
        if "password" in str(parameter.name) or "secret" in str(parameter.name)
        if not getattr(parameter, "is_flag", False)
    ]
    assert told == []


def _commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path}{name} ")
