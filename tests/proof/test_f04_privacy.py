"""No address, IP, token, or anything made of one, in any byte that anybody is sent, nor in logs, events or rows.

Every rule is visited by every caller of figure 6 in every format, with every choice that its address has, and in many
ways, right and wrong. Only the moderators of a comment's own site are told its address, when they ask to reveal it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from service import app as app_module
from service import logs, metrics
from service.app import create_app
from service.comments import public
from service.comments.models import Comment
from service.db import db, writing
from tests.support import FULL
from tests.transfer.exports import comment, export, item, saved

from .doors import DOORS
from .leaks import Needles, leaks, of_addresses, of_columns, of_networks
from .ledger import Proof
from .sweep import CALLERS, TOLD, Sweep, Visit, chosen, unvisited
from .ways import WAYS
from .world import SOME_ID, Said, World

pytestmark = pytest.mark.one_database

HOMES = {"comments", "comment_votes", "comment_reports", "rules"}
"""The tables where network labels are kept, beside what tells one person from another."""
STATUSES = {200, 201, 202, 303, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503}


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
    world.a.said.append(said)
    return said


@pytest.mark.figure("4", quick=700, full=2_000)
def test_nobody_is_sent_an_address(log: io.StringIO, world: World, imported: Said, proof: Proof) -> None:
    sweep = Sweep(world)
    visits = list(sweep.visits(full=FULL))
    private = sweep.private()
    proof.cases(len(visits), sweep.found_in(visits, private))
    proof.cases(0, sorted(unvisited(visits, world.app, full=FULL)))
    if FULL:
        proof.cases(0, (f"never answered {one}" for one in STATUSES - {one.status for one in visits}))
    assert log.getvalue().count("\n") >= len(visits), "requests were not logged"
    _nothing_is_kept(sweep, private, log.getvalue().encode(), proof)


def _nothing_is_kept(sweep: Sweep, private: Needles, lines: bytes, proof: Proof) -> None:
    """Logs, numbers and rows, after everything was visited."""
    columns = of_columns([sweep.world.a, sweep.world.b])
    proof.case(*leaks({"log": lines}, private, columns))
    numbers = metrics.page(sweep.world.app)
    assert b'route="/v1/moderation/comments/<uuid:comment_id>/reveal"' in numbers
    proof.case(*leaks({"metrics": numbers}, private, columns))
    kept = stored()
    assert len(kept) >= len(db.metadata.tables)
    for person in (*sweep.people, *sweep.staff.values()):
        kept["moderators"] = kept["moderators"].replace(person.encode(), b"")
    proof.cases(len(kept), leaks(kept, private))
    proof.cases(0, leaks({name: rows for name, rows in kept.items() if name not in HOMES}, columns))
    proof.note(f"{len(private):,} forms of secrets")


def stored() -> dict[str, bytes]:
    """All rows of every table that is there, whoever made it."""
    with db.engine.connect() as connection:
        return {
            name: b"\n".join(
                _plain(value) for row in connection.execute(text(f'SELECT * FROM "{name}"')) for value in row
            )
            for name in inspect(db.engine).get_table_names()
        }


def _plain(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


@pytest.mark.figure("4", quick=20, full=100)
def test_searching_for_an_address_finds_nothing(world: World, proof: Proof) -> None:
    """Else an address could be guessed letter by letter."""
    said = world.a.said[0]
    local = said.email.partition("@")[0]
    wanted = {said.email, said.email.lower(), "leak-canary", said.ip, f"{local[:4]}*", f"{local[:4]}%", f'"{local}"'}
    for one in sorted(wanted | {said.email[:n] for n in range(4, len(said.email), 1 if FULL else 9)}):
        for path in ("/v1/moderation/comments", "/desk/"):
            answer = world.ask(world.a, "moderator", "GET", path, query_string={"q": one})
            proof.case(*([f"{one!r} finds something at {path}"] if world.a.mark in answer.text else []))
    for path in ("/v1/moderation/comments", "/desk/"):
        found = world.ask(world.a, "moderator", "GET", path, query_string={"q": world.a.mark})
        assert found.text.count(world.a.ids["pending"]), "nothing is found at all"


@pytest.mark.control("4")
def test_a_moderator_of_the_site_is_told_when_they_ask(world: World) -> None:
    """And only then, and of one comment: the control of what the sweep leaves out."""
    wanted = next(one for one in world.a.said if one.id == world.a.ids["pending"]).email
    sweep = Sweep(world)
    needles = of_addresses([wanted]), of_addresses(one.email for one in sweep.said if one.email != wanted)
    visits: list[Visit] = []
    for door in (one for one in DOORS if one.rule.endswith("/reveal")):
        for caller in CALLERS:
            visits += sweep.visit(door, caller)
            told = {"answer": sweep.last.get_data()}
            assert bool(leaks(told, needles[0])) == (caller in TOLD), visits[-1].name
            assert leaks(told, needles[1]) == []
    assert sweep.found_in(visits) == []


@pytest.mark.control("4")
def test_a_shape_with_the_address_in_it_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that tells one column more."""
    told = public.told
    email = next(one.email for one in world.a.said if one.id == world.a.ids["approved"])
    doors = [door for door in DOORS if door.rule in ("/v1/sites/<site>/thread", "/v1/sites/<site>/latest")]
    monkeypatch.setattr(public, "told", lambda row: told(row) | {"author": told(row)["author"] | {"email": email}})
    sweep = Sweep(world)
    visits = [visit for door in doors for caller in TOLD for visit in sweep.visit(door, caller)]
    assert len({line.partition(": ")[0] for line in sweep.found_in(visits)}) == len(visits) == 2 * len(TOLD)


@pytest.mark.control("4")
def test_a_header_that_tells_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said, row = (
        world.a.said[0],
        db.session.query(Comment).filter_by(site_id=world.a.site.id).order_by(Comment.created_at).first(),
    )
    assert row is not None
    sweep = Sweep(world)
    cookie = sweep.client("moderator at the desk")[0].get_cookie("greenroom")
    assert cookie is not None
    told = {
        "digest": hashlib.md5(said.email.lower().encode()).hexdigest()[:16],
        "token": said.token,
        "session": cookie.value,
        "label": row.network_label or "",
        "domain": said.email.partition("@")[2].lower(),
    }
    visits = list(sweep.visit(DOORS[0], "anonymous"))
    for what, secret in told.items():
        monkeypatch.setitem(app_module.HEADERS, f"X-{what}", secret)
        visits += sweep.visit(DOORS[0], "anonymous")
    found = sweep.found_in(visits)
    seen = [sum(line.startswith(f"{n} ") for line in found) for n in range(len(visits))]
    assert seen[0] == 0 and all(more > less for less, more in pairwise(seen)), seen


@pytest.mark.control("4")
def test_a_route_that_nobody_visits_is_seen(app: Flask) -> None:
    """Such as metrics, were they on the public port; and a caller or a way that was left out."""
    visits = [Visit(caller, door, "right", 200, b"", b"") for door in DOORS for caller in CALLERS]
    visits += [Visit("admin", door, kind, 400, b"", b"") for door in DOORS for kind in WAYS]
    visits += [Visit("admin", door, "right", 200, b"", b"") for door in chosen(app)]
    assert unvisited(visits, app, full=True) == set()
    fewer = [one for one in visits if not (one.caller == "admin" and one.door.name == "GET /v1/audit")]
    assert "GET /v1/audit as admin" in unvisited(fewer, app, full=False)
    exports = [one for one in visits if one.door.path.endswith("format=csv")]
    assert [one.door.name for one in exports] == ["GET /v1/audit"]
    (missed,) = unvisited([one for one in visits if one not in exports], app, full=False)
    assert missed.startswith("GET /v1/audit: never ") and missed.endswith("format=csv")
    fewer = [one for one in visits if one.kind != "locked" or one.door.name == "GET /"]
    assert len(unvisited(fewer, app, full=True)) == len(DOORS) - 1
    grown = create_app(app.extensions["greenroom_settings"])
    grown.add_url_rule("/metrics", view_func=lambda: "")
    assert "GET /metrics: no good answer" in unvisited(visits, grown, full=False)


@pytest.mark.control("4")
def test_a_label_that_tells_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said, told = world.a.said[0], CollectorRegistry()
    monkeypatch.setattr(metrics, "_counted", told)
    needles = (of_addresses([said.email]), of_networks([said.ip]))
    assert leaks({"metrics": metrics.page(world.app)}, *needles) == []
    Counter("greenroom_senders", "Who sends how much.", ["sender"], registry=told).labels(said.email).inc()
    assert leaks({"metrics": metrics.page(world.app)}, *needles)


@pytest.mark.control("4")
def test_a_line_past_the_redaction_is_seen(log: io.StringIO, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the formatter takes out would have been found."""
    said = world.a.said[0]
    logging.getLogger("service.test").warning("%s from %s", said.email, said.ip)
    assert "[email] from [ip]" in log.getvalue()
    needles = (of_addresses([said.email]), of_networks([said.ip]))
    assert leaks({"log": log.getvalue().encode()}, *needles) == []
    monkeypatch.setattr(logs, "redact", lambda line: line)
    logging.getLogger("service.test").warning("%s from %s", said.email, said.ip)
    assert leaks({"log": log.getvalue().encode()}, *needles)


@pytest.mark.control("4")
def test_a_row_with_an_address_in_it_is_seen(world: World) -> None:
    said = world.a.said[0]
    assert leaks(stored(), of_addresses([said.email])) == []
    title = base64.b64encode(said.email.encode()).decode()
    with writing() as connection, connection.begin():
        connection.execute(text("UPDATE pages SET title = :title"), {"title": title})
    assert {line.partition(":")[0] for line in leaks(stored(), of_addresses([said.email]))} == {"pages"}


@pytest.mark.figure("4", quick=2, full=2)
def test_an_error_of_the_database_quotes_no_parameters(world: World, proof: Proof) -> None:
    for statement in ("SELECT :mail FROM no_such_table", "INSERT INTO comments (name) VALUES (:mail, 1)"):
        proof.case(*leaks({statement: _error(db.engine, statement, world)}, of_addresses([world.a.said[0].email])))


@pytest.mark.control("4")
def test_an_engine_that_quotes_its_parameters_is_seen(world: World) -> None:
    frank = create_engine(db.engine.url)
    told = _error(frank, "SELECT :mail FROM no_such_table", world)
    frank.dispose()
    assert leaks({"error": told}, of_addresses([world.a.said[0].email]))


def _error(engine: Any, statement: str, world: World) -> bytes:
    with engine.connect() as connection, pytest.raises(DBAPIError) as error:
        connection.execute(text(statement), {"mail": world.a.said[0].email})
    return str(error.value).encode()


@pytest.mark.control("4")
def test_seals_indexes_and_labels_are_seen(world: World) -> None:
    """What the database keeps instead of an address, as it might slip out."""
    row = db.session.query(Comment).filter_by(site_id=world.a.site.id).order_by(Comment.id).first()
    assert row is not None and row.email_sealed and row.email_index and row.network_label
    for one in (row.email_sealed, row.email_index.hex().upper().encode(), row.network_label.encode()):
        assert leaks({"answer": b"<p>" + one + b"</p>"}, of_columns([world.a]))
    assert leaks({"answer": str(row.email_index).encode()}, of_columns([world.a]))
    assert not leaks({"answer": row.network_label.encode()}, of_columns([world.a], labels=False))
    assert not Needles().found_in(row.email_sealed)
