"""What every answer says in its headers: which origins may read it, what may keep it, what a browser may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import HEADERS, create_app
from service.config import Settings
from service.db import db
from service.sites import origins
from tests.support import PROOFS

from .doors import DOORS, Door
from .world import SOME_ID, World, filled, rules, sent

ALLOWED = "https://blog.example.org"
ORIGINS = [
    ALLOWED,
    "https://zine.example.org",  # of another site
    "http://blog.example.org",
    "https://blog.example.org:8443",
    "https://blog.example.org.",
    "https://BLOG.example.org",
    "https://blog.example.org.evil.example",
    "https://evilblog.example.org",
    "https://blog.example.org@evil.example",
    "https://blog.example.org%60.evil.example",
    "null",
    "https://xn--blg-0na.example.org",
    "http://[::1]",
    "",
]
KINDS = ("simple", "preflight", "missing", "wrong", "method")
SAID_OF_NOBODY = "access-control-allow-credentials"


@dataclass(frozen=True)
class Asked:
    """One request, in words for whoever reads a failure, and what came back."""

    name: str
    door: Door
    kind: str
    origin: str
    answer: TestResponse


def asked(world: World, doors: list[Door], some: Iterable[str] = ORIGINS, **who: str) -> Iterator[Asked]:
    """Each door in five ways from each origin."""
    for door in doors:
        for kind in KINDS:
            for origin in some:
                yield Asked(
                    f"{kind} {door.name} from {origin!r}", door, kind, origin, _ask(world, door, kind, origin, who)
                )


def _ask(world: World, door: Door, kind: str, origin: str, who: dict[str, str]) -> TestResponse:
    headers = {"Origin": origin} | who if origin else who
    if kind == "preflight":
        headers |= {"Access-Control-Request-Method": door.method}
        door = replace(door, method="OPTIONS", json=None, form=None)
    elif kind == "missing":  # a site or a thing that is not there
        path = door.path.replace("{site}", "nowhere")
        door = replace(door, path=_with_ids(path, str(SOME_ID)) if path == door.path else path)
    elif kind == "wrong":
        door = replace(door, path=f"{door.path}{'&' if '?' in door.path else '?'}nothing=%00", json=None)
    elif kind == "method":
        door = replace(door, method="DELETE", json=None, form=None)
    return world.send(door, world.a, **headers)


def _with_ids(path: str, value: str) -> str:
    return filled(
        path, dict.fromkeys(("approved", "pending", "fresh", "page_id", "bulk"), value) | {"style": "/style/x/y"}
    )


def wrong_origins(found: list[Asked]) -> list[str]:
    """Answers that name an origin which may not read them, or are silent about one which may."""
    wrong = []
    for one in found:
        named = one.answer.headers.get("Access-Control-Allow-Origin")
        may = one.door.is_public and one.origin == ALLOWED and one.kind in ("simple", "preflight")
        if named not in ((ALLOWED,) if may else (None, ALLOWED)) or (named and one.origin != ALLOWED):
            wrong.append(f"{one.name}: {named}")
        if named and not one.door.is_public:
            wrong.append(f"{one.name}: a private door names an origin")
        if SAID_OF_NOBODY in {name.lower() for name, _ in one.answer.headers}:
            wrong.append(f"{one.name}: credentials")
        if one.door.is_public and "origin" not in {name.lower() for name in one.answer.vary}:
            wrong.append(f"{one.name} ({one.answer.status_code}): Vary lacks Origin")
    return wrong


def public() -> list[Door]:
    return [door for door in DOORS if door.is_public]


def test_every_door_is_described(app: Flask) -> None:
    assert {name for name, _ in rules(app)} == {door.name for door in DOORS}


def test_only_the_sites_own_origins_may_read_public_answers(world: World) -> None:
    found = list(asked(world, public()))
    assert len(found) >= 700
    assert len({one.answer.status_code for one in found}) >= 7, "not every kind of answer was seen"
    assert wrong_origins(found) == []


def test_no_origin_may_read_a_private_answer(world: World) -> None:
    doors = [door for door in DOORS if not door.is_public and not door.changes]
    some = ORIGINS if PROOFS > 1 else (ALLOWED, "https://evilblog.example.org", "null")
    found = list(asked(world, doors, some, Authorization=f"Bearer {world.a.tokens['moderator']}"))
    assert len(found) >= (1_000 if PROOFS > 1 else 280)
    assert wrong_origins(found) == []


def test_an_answer_that_has_not_changed_names_the_origin_too(world: World) -> None:
    kept = 0
    for door in public():
        first = world.send(door, world.a, Origin=ALLOWED)
        if "ETag" in first.headers:
            again = world.send(door, world.a, Origin=ALLOWED, If_None_Match=first.headers["ETag"])
            assert again.status_code == 304, door.name
            assert wrong_origins([Asked(door.name, door, "simple", ALLOWED, again)]) == []
            kept += 1
    assert kept >= 6


@pytest.fixture
def strict(app: Flask) -> Iterator[FlaskClient]:
    """The same database behind limits of one call."""
    settings: Settings = app.extensions["greenroom_settings"]
    made = create_app(replace(settings, limits_enabled=True, limit_submit="1/hour", limit_preview="1/hour"))
    yield made.test_client()
    with made.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("name", ["comments", "preview"])
def test_a_refusal_for_being_too_many_names_the_origin_too(world: World, strict: FlaskClient, name: str) -> None:
    door = next(one for one in public() if one.path == f"/v1/sites/{{site}}/{name}")
    world.send(door, world.a, client=strict, Origin=ALLOWED)
    answer = world.send(door, world.a, client=strict, Origin=ALLOWED)
    assert answer.status_code == 429
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert int(answer.headers["Retry-After"]) > 0
    assert wrong_origins([Asked(door.name, door, "simple", ALLOWED, answer)]) == []


def test_an_origin_that_is_echoed_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a door that names whoever asks."""

    def echo(response: Any) -> Any:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    monkeypatch.setitem(world.app.after_request_funcs, "comments", [echo])
    found = wrong_origins(list(asked(world, [one for one in public() if one.rule.endswith("/latest")])))
    assert len([one for one in found if one.endswith(": *")]) >= 30
    assert len([one for one in found if one.endswith("credentials")]) >= 30
    assert any("Vary lacks Origin" in one for one in found)
    assert origins.allow_origin is not echo


def every_answer(world: World) -> Iterator[Asked]:
    """Each door, in each way, as a moderator for JSON and for a page, and as nobody."""
    formats = ("application/json", "text/html")
    for turn, who in enumerate(({"Authorization": f"Bearer {world.a.tokens['moderator']}"}, {})):
        for number, door in enumerate(DOORS):
            for kind in KINDS:
                for accept in formats if PROOFS > 1 else formats[(turn + number) % 2 :][:1]:
                    answer = _ask(world, replace(door, accept=accept), kind, "", who)
                    yield Asked(f"{kind} {door.name} for {accept}", door, kind, "Authorization" if who else "", answer)


def unsafe(one: Asked) -> Iterator[str]:
    headers = one.answer.headers
    for name in HEADERS:
        if not headers.get(name):
            yield f"{one.name}: no {name}"
    if headers.get("X-Content-Type-Options") != "nosniff":
        yield f"{one.name}: may be sniffed"
    policy = headers.get("Content-Security-Policy", "")
    if "unsafe-inline" in policy.partition("script-src")[2].partition(";")[0] or "default-src 'none'" not in policy:
        yield f"{one.name}: {policy}"
    if "frame-ancestors" not in policy or "frame-ancestors *" in policy:
        yield f"{one.name}: may be framed by anybody"
    for name in ("Server", "X-Powered-By"):
        if name in headers:
            yield f"{one.name}: {name}"
    private = one.door.is_guarded and one.kind != "method"
    if private and "no-store" not in headers.get("Cache-Control", "") and one.kind != "preflight":
        yield f"{one.name} ({one.answer.status_code}): may be kept"


def test_every_answer_wears_its_headers(world: World) -> None:
    found = list(every_answer(world))
    assert len(found) >= (800 if PROOFS > 1 else 400)
    assert len({one.door.name for one in found if one.answer.status_code < 400}) >= len(DOORS) - 1
    assert [line for one in found for line in unsafe(one)] == []


def test_an_answer_without_them_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HEADERS, "Content-Security-Policy", "script-src 'unsafe-inline'")
    monkeypatch.setitem(HEADERS, "X-Content-Type-Options", "")
    door = next(one for one in DOORS if one.path == "/healthz")
    bare = Asked("control", door, "simple", "", world.send(door, world.a))
    assert len(list(unsafe(bare))) == 4


HOSTS = ["evil.example", "evil.example:80", "127.0.0.1:8080@evil.example", "evil.example/", "EVIL.EXAMPLE", "[::1]:9"]


def test_the_name_we_are_called_by_stands_in_no_answer(world: World) -> None:
    """Links are made of the public URL; a poisoned Host leads nobody away."""
    asked_for = 0
    for host in HOSTS if PROOFS > 1 else HOSTS[::3]:
        for door in DOORS:
            who = {"Authorization": f"Bearer {world.a.tokens['moderator']}"} if door.is_guarded else {}
            answer = world.send(door, world.a, Host=host, X_Forwarded_Host=host, Forwarded=f"host={host}", **who)
            said = answer.text + str(answer.headers)
            assert "evil.example" not in said.lower(), f"{door.name} as {host}"
            assert "[::1]" not in said
            asked_for += 1
    assert asked_for >= 80


@pytest.mark.parametrize("path", ["/desk", "/v1//sites/blog/thread?page=/x", "/desk//comments"])
def test_a_redirect_of_the_router_names_no_host(app: Flask, path: str) -> None:
    answer = sent(app.test_client(), path, headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith(("/desk/", "/v1/sites/"))
    assert "evil.example" not in answer.text


def test_a_name_in_an_answer_would_be_seen(world: World) -> None:
    """The control: the same search finds the public URL where it must stand."""
    feed = world.app.test_client().get("/v1/sites/blog/feed.atom").text
    assert world.app.config["PUBLIC_URL"] in feed
