"""Whatever is sent: never a 5xx, every refusal in one shape, and rows change only when the answer says so."""

from __future__ import annotations

import contextvars
import json
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service.comments import operations
from service.db import Base, db
from tests.support import PROOFS

from .doors import DOORS, Door
from .hostile import Bad, bodies, cases, content_type, not_json, texts
from .world import World, filled, sent

CASES = 600 if PROOFS == 1 else 400 * PROOFS
HOME = "http://127.0.0.1:8080"

WRITES_WHEN_REFUSED = {
    "POST /desk/sign-in": "a failed sign-in is written down, with no word of what was typed",
}


class Judge:
    """Sends requests and notes everything that must not be."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bearer = f"Bearer {world.admin}"
        self.rows = counted()
        self.wrong: list[str] = []
        self.seen: dict[int, int] = {}
        self.round_trips = 0

    def try_(self, bad: Bad) -> None:
        if "{fresh}" in bad.door.path:  # made before anything is counted
            made = self.world.say(self.world.a)
            bad = replace(bad, door=replace(bad.door, path=bad.door.path.replace("{fresh}", made)))
            self.rows = counted()
        answer = self._send(bad)
        self.seen[answer.status_code] = self.seen.get(answer.status_code, 0) + 1
        for what in faults(answer, bad.door):
            self.wrong.append(f"{bad.name} {(bad.raw or bad.text.encode('utf-8', 'replace'))[:60]!r}: {what}")
        rows = counted()
        if answer.status_code >= 400 and rows != self.rows and bad.door.name not in WRITES_WHEN_REFUSED:
            self.wrong.append(f"{bad.name}: {answer.status_code}, and rows changed")
        self.rows = rows
        if bad.field in ("name", "body", "page_title") and answer.status_code == 202:
            self._read_back(bad, answer.json["id"])

    def _send(self, bad: Bad) -> TestResponse:
        door, world = bad.door, self.world
        who = {"Authorization": self.bearer} if door.is_guarded else {}
        client = world.app.test_client()
        if bad.raw is None:
            return world.send(door, world.a, client=client, **who)
        path = filled(door.path, world.names(door, world.a))
        headers = {"Accept": door.accept, **door.headers, **who}
        return sent(client, path, method=door.method, headers=headers, data=bad.raw, content_type=content_type(door))

    def _read_back(self, bad: Bad, comment_id: str) -> None:
        found = self.world.ask(self.world.a, "moderator", "GET", f"/v1/moderation/comments/{comment_id}").json
        kept = {"name": found["author"]["name"], "body": found["text"], "page_title": found["page"]["title"]}[bad.field]
        if unicodedata.normalize("NFC", kept) != kept:
            self.wrong.append(f"{bad.name}: {kept!r} is no NFC")
        wanted = unicodedata.normalize("NFC", bad.text)
        if bad.field != "page_title" and plain(wanted):
            self.round_trips += 1
            if kept != wanted:
                self.wrong.append(f"{bad.name}: {wanted!r} came back as {kept!r}")


def plain(text_: str) -> bool:
    """Whether a text holds nothing that could be tidied: visible characters, single blanks between them."""
    return text_.isprintable() and text_ == " ".join(text_.split()) and not any(map(unicodedata.combining, text_))


def faults(answer: TestResponse, door: Door) -> Iterator[str]:
    """What is wrong with an answer, whatever was asked."""
    if answer.status_code >= 500:
        yield str(answer.status_code)
    if answer.status_code < 400:
        return
    if answer.mimetype == "text/html":
        if "text/html" not in answer.request.headers.get("Accept", "") and not _is_page(door):
            yield f"{answer.status_code} is a page, and nobody asked for one"
        return
    if answer.mimetype != "application/problem+json":
        yield f"{answer.status_code} is {answer.mimetype}"
        return
    yield from _misshapen(answer)


def _is_page(door: Door) -> bool:
    return door.is_desk


def _misshapen(answer: TestResponse) -> Iterator[str]:
    """How a problem is not what RFC 9457 and our own document say."""
    if answer.request.method == "HEAD":
        return
    told = json.loads(answer.get_data())
    for name in ("type", "title", "detail", "instance"):
        if not isinstance(told.get(name), str) or not told[name]:
            yield f"{answer.status_code} without {name}"
    if told.get("status") != answer.status_code:
        yield f"{answer.status_code} says {told.get('status')}"
    for field, found in told.get("errors", {}).items():
        for one in found:
            if set(one) != {"code", "detail"}:
                yield f"errors.{field} is {one}"
    if any(word in answer.text for word in ("Traceback", "sqlalchemy", "psycopg", 'File "/')):
        yield "tells of our insides"


def counted() -> tuple[int, ...]:
    """How many rows each table has."""
    with db.engine.connect() as connection:
        return tuple(connection.exec_driver_sql(_count_all()).one())


@cache
def _count_all() -> str:
    return "SELECT " + ", ".join(f"(SELECT count(*) FROM {table.name})" for table in Base.metadata.sorted_tables)


@pytest.fixture
def judge(world: World) -> Judge:
    return Judge(world)


def test_bad_input_is_refused_in_one_shape_and_breaks_nothing(judge: Judge, shared: Path) -> None:
    tried = cases(shared, CASES, seed=20)
    assert len(tried) >= 600
    assert {one.door.name for one in tried} == {one.name for one in DOORS if "{" in one.path or one.changes}
    for one in tried:
        judge.try_(one)
    assert judge.wrong == []
    assert {200, 202, 400, 404, 422} <= set(judge.seen), judge.seen


def test_what_is_taken_comes_back_as_it_was(judge: Judge, shared: Path) -> None:
    door = next(one for one in DOORS if one.path == "/v1/sites/{site}/comments")
    for said in random.Random(20).sample(texts(shared), 60 * PROOFS):
        for field in ("name", "body"):
            body = json.dumps(filled(door.json, judge.world.names(door, judge.world.a)) | {field: said})
            judge.try_(Bad(field, door, body.encode(), said, field))
    assert judge.wrong == []
    assert judge.round_trips >= 30 * PROOFS, judge.round_trips


def test_no_json_is_taken_that_is_none(judge: Judge, shared: Path) -> None:
    refused = not_json(shared)
    assert len(refused) >= 180
    door = next(one for one in DOORS if one.path == "/v1/sites/{site}/counts" and one.changes)
    for raw in refused:
        judge.try_(Bad("JSONTestSuite", door, raw))
    assert judge.wrong == []
    assert set(judge.seen) <= {400, 413}


def test_there_is_bad_input(shared: Path) -> None:
    assert len(bodies(shared)) >= 430
    assert cases(shared, 50, seed=1) == cases(shared, 50, seed=1)


LENGTHS = (None, "-5", "abc", "99999999999999999999")


def test_odd_lengths_and_types_are_refused(judge: Judge) -> None:
    client = judge.world.app.test_client()
    heavy = b"".join(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n" for _ in range(1_200)) + b"--x--"
    kinds = [
        ("text/plain", b"{}"), ("application/json; charset=utf-16", b"{}"), ("", b"{}"), ("application/xml", b"<a/>"),
        ("multipart/form-data; boundary=x", heavy), ("multipart/form-data", b"--x"), ("a/b/c", b"{}"),
        ("application/json", b"\x1f\x8b\x08\x00"), ("multipart/form-data; boundary=" + "x" * 900, b"--x--"),
    ]  # fmt: skip
    for turn, door in enumerate(one for one in DOORS if one.changes):
        for kind, body in kinds:
            for length in LENGTHS if PROOFS > 1 else LENGTHS[turn % 2 :: 2]:
                who = {"Authorization": judge.bearer} if door.is_guarded else {}
                more: dict[str, Any] = {"CONTENT_LENGTH": length} if length else {}
                path = filled(door.path.replace("{fresh}", "{spam}"), judge.world.names(DOORS[0], judge.world.a))
                answer = _open(client, path, method=door.method, headers=who, data=body, content_type=kind, over=more)
                judge.wrong += [f"{door.name} as {kind} {length}: {what}" for what in faults(answer, door)]
                judge.seen[answer.status_code] = judge.seen.get(answer.status_code, 0) + 1
    assert judge.wrong == []
    assert sum(judge.seen.values()) >= 280
    assert {413, 415} <= set(judge.seen)


def _open(client: FlaskClient, path: str, *, over: dict[str, Any], **more: Any) -> TestResponse:
    def send() -> TestResponse:
        answer = client.open(path, environ_overrides=over, **more)
        answer.get_data()
        return answer

    return contextvars.Context().run(send)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
GENTLY = settings(
    max_examples=40 * PROOFS, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def test_any_text_in_any_field(judge: Judge) -> None:
    door = next(one for one in DOORS if one.path == "/v1/sites/{site}/comments")

    @GENTLY
    @given(field=st.sampled_from([*door.json, "page_title", "website", "parent_id", "form_token"]), said=ANY_TEXT)
    def try_(field: str, said: str) -> None:
        body = json.dumps(filled(door.json, judge.world.names(door, judge.world.a)) | {field: said})
        judge.try_(Bad(f"{field}", door, body.encode(), said, field))

    try_()
    assert judge.wrong == []
    assert sum(judge.seen.values()) >= 40


def test_any_json_at_any_door(judge: Judge) -> None:
    @GENTLY
    @given(door=st.sampled_from([one for one in DOORS if one.json is not None]), document=ANY_JSON)
    def try_(door: Door, document: Any) -> None:
        judge.try_(Bad(f"{door.name} any", door, json.dumps(document).encode()))

    try_()
    assert judge.wrong == []
    assert sum(judge.seen.values()) >= 40


def test_a_crash_a_bare_refusal_and_a_lost_word_are_seen(
    judge: Judge, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controls: what each assertion is there for."""
    door = next(one for one in DOORS if one.path == "/v1/sites/{site}/comments")
    monkeypatch.setattr(operations, "render", lambda text: text.encode("ascii").decode())
    judge.try_(Bad("crash", door, _said(judge, door, body="naïve")))
    assert any(line.endswith("500") for line in judge.wrong)

    bare = Judge(judge.world)
    monkeypatch.setitem(app.view_functions, "comments.preview", lambda site: ("no", 418))
    bare.try_(Bad("bare", next(one for one in DOORS if one.path.endswith("/preview"))))
    assert any("418 is text/html" in line or "418 is a page" in line for line in bare.wrong)

    written = Judge(judge.world)
    monkeypatch.undo()
    answer = written._send(Bad("fine", door))
    assert answer.status_code == 202
    assert counted() != written.rows


def _said(judge: Judge, door: Door, **changes: str) -> bytes:
    return json.dumps(filled(door.json, judge.world.names(door, judge.world.a)) | changes).encode()
