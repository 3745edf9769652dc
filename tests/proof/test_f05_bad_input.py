"""Whatever is sent: never a 5xx, every refusal in one shape, and rows change only when the answer says so."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service import errors
from service.comments import operations, plaintext
from service.db import db, transaction
from service.doors import SMALL_BODY
from service.errors import Forbidden
from service.sites.models import Page
from tests.support import FULL

from .doors import DOORS, FORM, Door
from .hostile import (
    NO_JSON,
    Bad,
    Spot,
    big_list,
    bodies,
    content_type,
    matrix,
    methods,
    raw_bodies,
    spots,
    suite,
    texts,
)
from .judging import KEEPS, Judge, written_mark
from .ledger import Proof
from .world import World, filled, rules, sent

COMMENTS = next(one for one in DOORS if one.name == "POST /v1/sites/<site>/comments")
JSON_DOORS = [one for one in DOORS if one.json is not None]


@pytest.fixture
def judge(world: World) -> Iterator[Judge]:
    with written_mark() as written:
        yield Judge(world, written)


def _try_all(judge: Judge, proof: Proof, tried: Iterable[Bad]) -> None:
    for one in tried:
        proof.case(*judge.try_(one))
    proof.note(f"slowest {judge.slowest * 1000:.0f} ms of processor time")


def _document(judge: Judge) -> dict[str, Any]:
    told: dict[str, Any] = judge.world.app.test_client().get("/openapi.json").json
    return told


@pytest.mark.long
@pytest.mark.figure("5", quick=200, full=10_000)
def test_hostile_texts_break_nothing_at_any_place_of_any_door(judge: Judge, proof: Proof, shared: Path) -> None:
    """A door that is not tried fails; so does one in which nothing is accepted and nothing refused.

    At full size each database is sent one in 29 of more than 200,000, never the same: with all the other tests of
    this figure more than 60,000 on each. 29 divides no length of a list, so each field meets other texts of each.
    What a door has first is sent to both: there are doors with few fields.
    Where words can be read back, each database is sent the whole Big List.
    """
    turn, step = (14 * int(db.engine.dialect.name == "postgresql"), 29) if FULL else (0, 1)
    _try_all(judge, proof, _share(matrix(_document(judge), shared, full=FULL), turn, step))
    _try_all(judge, proof, _read_back(judge, shared) if FULL else [])
    untried = {name for name, _ in rules(judge.world.app)} - judge.doors
    assert not untried, f"not tried: {untried}"
    assert {200, 202, 303, 404, 422, *([400] if FULL else [])} <= set(judge.seen), judge.seen
    assert judge.round_trips >= (1_000 if FULL else 4), judge.round_trips
    proof.note(f"{judge.round_trips:,} texts read back as they were sent")


def _share(whole: Iterable[Bad], turn: int, step: int) -> Iterator[Bad]:
    met: set[str] = set()
    for n, one in enumerate(whole):
        if n % step == turn or one.door.name not in met:
            met.add(one.door.name)
            yield one


def _read_back(judge: Judge, shared: Path) -> Iterator[Bad]:
    for spot in spots(_document(judge)):
        if (spot.door.name, spot.name) in KEEPS and spot.kind in ("json", "form"):
            yield from (spot.holding(text) for text in big_list(shared))


@pytest.mark.figure("5", quick=30, full=4_000)
def test_hostile_bodies_break_nothing_at_any_door(judge: Judge, proof: Proof, shared: Path) -> None:
    tried = list(raw_bodies(shared))
    _try_all(judge, proof, tried if FULL else random.Random(20).sample(tried, 30))


@pytest.mark.figure("5", quick=60, full=2_800)
def test_json_is_what_its_test_suite_says(judge: Judge, proof: Proof, shared: Path) -> None:
    """No `n_` is taken by any door, and none calls a `y_` ill-formed. Quick: a third of `n_`, each by one door."""
    told = [*suite(shared), *(("n_as_python_has_it", raw) for raw in NO_JSON)]
    for turn, (name, raw) in enumerate(told):
        if not FULL and (turn % 3 or not name.startswith("n_")):
            continue
        for door in JSON_DOORS if FULL else [JSON_DOORS[turn % len(JSON_DOORS)]]:
            before = judge.seen.copy()
            wrong = judge.try_(Bad(f"{door.name} {name}", door, raw))
            (status,) = judge.seen - before
            if name.startswith("n_") and status not in (400, 413):
                wrong.append(f"{door.name}: {name} got {status}")
            proof.case(*wrong, *(_not_taken(judge, door, raw) if name.startswith("y_") else ()))


def _not_taken(judge: Judge, door: Door, raw: bytes) -> list[str]:
    answer = judge.last
    ill = answer.status_code == 400 and answer.json["detail"].startswith("This is not valid JSON")
    return [f"{door.name}: {raw[:60]!r} is called ill-formed"] if ill else []


@pytest.mark.figure("5", quick=20, full=1_500)
def test_methods_that_nobody_knows_are_refused(judge: Judge, proof: Proof, shared: Path) -> None:
    every = [(door, method) for door in DOORS for method in methods(shared) if method.isascii() and method.strip()]
    for door, method in every if FULL else random.Random(20).sample(every, 20):
        wrong = judge.try_(Bad(f"{method} {door.rule}", Door(method, door.rule, door.path, headers=door.headers)))
        proof.case(*wrong)
    assert 405 in judge.seen


@pytest.mark.figure("5", quick=20, full=20)
def test_a_body_may_be_as_long_as_its_door_says_and_no_longer(judge: Judge, proof: Proof) -> None:
    for door in (one for one in DOORS if one.changes and (one.json is not None or one.form)):
        view = judge.world.app.view_functions[_endpoint(judge.world.app, door)]
        most: int = getattr(view, "body_limit", SMALL_BODY)
        for length in (most, most + 1):
            before = judge.seen.copy()
            wrong = judge.try_(Bad(f"{door.name} of {length}", door, _padded(judge, door.settled(), length)))
            (status,) = judge.seen - before
            if (status == 413) != (length > most):
                wrong.append(f"{door.name}: a body of {length} bytes gets {status}, and {most} are allowed")
            proof.case(*wrong)


def _endpoint(app: Flask, door: Door) -> str:
    return next(rule.endpoint for name, rule in rules(app) if name == door.name)


def _padded(judge: Judge, door: Door, length: int) -> bytes:
    """A body of this length with nothing wrong about it: blanks after JSON, one more field of a form."""
    body = filled(door.json if door.json is not None else dict(door.form or {}), judge.world.names(door, judge.world.a))
    if door.json is not None:
        return json.dumps(body).encode().ljust(length)
    form = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in body.items()).encode() + b"&more="
    return form.ljust(length, b"x")


_PART = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
KINDS = [
    ("text/plain", b"{}"), ("application/json; charset=utf-16", b"{}"), ("", b"{}"), ("application/xml", b"<a/>"),
    ("multipart/form-data; boundary=x", _PART * 1_200 + b"--x--"), ("multipart/form-data", b"--x"), ("a/b/c", b"{}"),
    ("application/json", b"\x1f\x8b\x08\x00"), ("multipart/form-data; boundary=" + "x" * 900, b"--x--"),
    ("multipart/form-data; boundary=x", _PART * 100_000 + b"--x--"), (FORM, b"a=b&" * 10_000),
    (FORM, b"%ff%zz=%&;=\xff"),
    (FORM, b"&".join(b"a%d=" % number for number in range(6_000))), ("application/json", b"{}" * 30_000),
    ("application/problem+json", b"{}"), ("\xff", b"{}"), ("application/json, text/plain", b"{}"),
]  # fmt: skip
LENGTHS = (None, "-5", "abc", "99999999999999999999", "1e3", "")


@pytest.mark.figure("5", quick=40, full=1_400)
def test_bodies_of_odd_kinds_and_lengths_are_refused(judge: Judge, proof: Proof) -> None:
    every = [(door, *one, length) for door in DOORS if door.changes for one in KINDS for length in LENGTHS]
    for door, kind, body, length in every if FULL else random.Random(20).sample(every, 40):
        proof.case(*judge.try_(Bad(f"{door.name} as {kind} of {length}", door, body, kind, length)))
    assert {413, 415} <= set(judge.seen)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
_A_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
_A_FEW = st.lists(_A_VALUE, max_size=4) | st.dictionaries(ANY_TEXT, _A_VALUE, max_size=4)
ANY_JSON = _A_VALUE | _A_FEW | st.lists(_A_FEW, max_size=3) | st.dictionaries(ANY_TEXT, _A_FEW, max_size=3)
GENTLY = settings(
    max_examples=2_000 if FULL else 15, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.figure("5", quick=12, full=1_800)
def test_any_text_at_any_place(judge: Judge, proof: Proof) -> None:
    places = [one for one in spots(_document(judge)) if one.kind != "header"]

    @GENTLY
    @given(spot=st.sampled_from(places), said=ANY_TEXT)
    def try_(spot: Spot, said: str) -> None:
        proof.case(*judge.try_(spot.holding(said)))

    try_()


@pytest.mark.figure("5", quick=12, full=1_800)
def test_any_json_at_any_door(judge: Judge, proof: Proof) -> None:
    @GENTLY
    @given(door=st.sampled_from(JSON_DOORS), document=ANY_JSON)
    def try_(door: Door, document: Any) -> None:
        proof.case(*judge.try_(Bad(f"{door.name} any", door, json.dumps(document).encode())))

    try_()


def test_there_is_bad_input(shared: Path) -> None:
    assert len(big_list(shared)) == 515
    assert len(texts(shared)) >= 1_080
    assert len(suite(shared)) == 318
    assert len(bodies(shared)) >= 440


def test_what_the_database_writes_by_itself_is_no_fault(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it wrote before each answer. The second request is refused for the first, and would not be without it."""
    monkeypatch.setattr(judge, "_written", count().__next__)
    keyed = Spot(replace(COMMENTS, headers={**COMMENTS.headers, "Idempotency-Key": "used"}), "json", "body")
    for text, status in (("One.", 202), ("Two.", 422)):
        before = judge.seen.copy()
        assert judge.try_(keyed.holding(text)) == []
        assert judge.seen - before == {status: 1}


@pytest.mark.control("5")
def test_a_door_that_crashes_is_seen(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "render", lambda text, _: text.encode("ascii").decode())
    spot = Spot(COMMENTS, "json", "body")
    assert judge.try_(spot.holding("naive")) == []
    assert any(line.endswith(": 500") for line in judge.try_(spot.holding("naïve")))


@pytest.mark.control("5")
def test_a_bare_refusal_is_seen(judge: Judge, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = [one for one in app.after_request_funcs[None] if getattr(one, "func", one) is not errors._in_our_words]
    monkeypatch.setitem(app.after_request_funcs, None, hooks)
    preview = Bad("bare", next(one for one in DOORS if one.path.endswith("/preview")))
    answer: Any = ("no", 418)

    def view(site: str) -> Any:
        return answer

    view.reads = {"json"}  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "comments.preview", view)
    assert any("418 is a page" in line for line in judge.try_(preview))
    answer = ({"status": 400}, 418)
    assert any("418 is application/json" in line for line in judge.try_(preview))
    answer = (b'{"status": 418, "title": "No"}', 418, {"Content-Type": "application/problem+json"})
    assert any("418 without detail" in line for line in judge.try_(preview))


@pytest.mark.control("5")
def test_a_lost_word_is_seen(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = plaintext.clean_line
    monkeypatch.setattr(plaintext, "clean_line", lambda text, **most: clean(text, **most).replace("DROP", ""))
    for door, kind in ((COMMENTS, "json"), (_form_door(), "form")):
        assert any("came back as" in line for line in judge.try_(Spot(door, kind, "name").holding("Ada DROP")))
        assert judge.try_(Spot(door, kind, "name").holding("Ada Drop")) == []


def _form_door() -> Door:
    return next(one for one in DOORS if one.name == "POST /embed/<site>/comments")


@pytest.mark.control("5")
def test_a_refused_request_that_writes_is_seen(judge: Judge, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row more, and also another word in a row that was there."""
    door, site = next(one for one in DOORS if one.name == "POST /v1/pages"), judge.world.a.site.id

    def adds() -> Any:
        with transaction():
            db.session.add(Page(site_id=site, key="/planted", title=""))
        raise Forbidden

    def renames() -> Any:
        with transaction():
            db.session.query(Page).update({"title": "Planted"})
        raise Forbidden

    for view, seen in ((adds, "the number of rows changed"), (renames, "['pages'] changed")):
        monkeypatch.setitem(app.view_functions, "management.open_page", view)
        assert any(seen in line for line in judge.try_(Bad("planted", door)))
    door, views = next(one for one in DOORS if one.name == "POST /v1/tokens"), app.view_functions
    for view in (adds, renames):  # where a refusal may be written down, and nothing else
        monkeypatch.setitem(views, _endpoint(app, door), view)
        assert any("['pages'] changed" in line for line in judge.try_(Bad("planted", door)))


@pytest.mark.control("5")
def test_a_slow_answer_and_a_lenient_parser_are_seen(judge: Judge, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proof.judging.MOST_SECONDS", 0.0)
    assert any("took" in line for line in judge.try_(Bad("slow", COMMENTS)))
    monkeypatch.setattr("service.doors.loads", json.loads)
    answer = sent(
        app.test_client(), "/v1/sites/blog/counts", method="POST", data=b"[NaN]", content_type=content_type(COMMENTS)
    )
    assert answer.status_code not in (400, 413)
