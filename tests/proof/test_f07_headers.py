"""What every answer says in its headers, and that the name by which we are called changes none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from service.app import HEADERS
from tests.support import FULL

from .answers import difference, told
from .doors import DOORS, Door
from .ledger import Proof
from .origins import KINDS, Asked, ask
from .world import World, rules, sent

TELLING_TOO_MUCH = ("Server", "X-Powered-By")
FORMATS = ("application/json", "text/html")


def test_every_door_is_described(app: Flask) -> None:
    assert {name for name, _ in rules(app)} == {door.name for door in DOORS}


def every_answer(world: World, ways: Iterable[tuple[Door, str, bool, str]]) -> Iterator[Asked]:
    """Each door, in each way, as a moderator and as nobody, for JSON and for a page."""
    for door, kind, signed_in, accept in ways:
        who = {"Authorization": f"Bearer {world.a.tokens['moderator']}"} if signed_in else {}
        answer = ask(world, replace(door, accept=accept), kind, **who)
        yield Asked(f"{kind} {door.name} for {accept}", door, kind, "", answer)


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
    yield from (f"{one.name}: {name}" for name in TELLING_TOO_MUCH if name in headers)
    private = one.door.is_guarded and one.kind != "method"
    if private and "no-store" not in headers.get("Cache-Control", "") and one.kind != "preflight":
        yield f"{one.name} ({one.answer.status_code}): may be kept"


@pytest.mark.figure("7", quick=60, full=800)
def test_every_answer_wears_its_headers(world: World, proof: Proof) -> None:
    ways = list(product(DOORS, KINDS, (True, False), FORMATS))
    seen = set()
    for one in every_answer(world, ways if FULL else ways[world.turn :: 13]):
        proof.case(*unsafe(one))
        seen.add((one.door.name, one.answer.status_code < 400))
    assert {name for name, _ in seen} == {door.name for door in DOORS}
    assert not FULL or len([name for name, well in seen if well]) >= len(DOORS) - 1


@pytest.mark.control("7")
def test_an_answer_without_them_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HEADERS, "Content-Security-Policy", "script-src 'unsafe-inline'")
    monkeypatch.setitem(HEADERS, "X-Content-Type-Options", "")
    (door,) = (one for one in DOORS if one.path == "/healthz")
    bare = Asked("control", door, "simple", "", world.send(door, world.a))
    assert len(list(unsafe(bare))) == 4


HOSTS = (
    "evil.example",
    "evil.example:80",
    "EVIL.EXAMPLE",
    "127.0.0.1:8080@evil.example",
    "127.0.0.1:8080.evil.example",
    "127.0.0.1:8080, evil.example",
    "evil.example/",
    "evil.example?",
    "[::1]:9",
    "blog.example.org",
)
_CALLED = ("Host", "X_Forwarded_Host", "X_Host", "X_Original_Host", "X_Forwarded_Server", "X_HTTP_Host_Override")


def called(world: World, door: Door, host: str) -> TestResponse:
    """The answer to somebody who calls us by a name, in every header that a proxy could believe."""
    who = {"Authorization": f"Bearer {world.a.tokens['moderator']}"} if door.is_guarded else {}
    names = dict.fromkeys(_CALLED, host) | {"Forwarded": f'host="{host}"', "X_Forwarded_Prefix": f"//{host}"}
    return world.send(door, world.a, client=None, **(names if host else {}), **who)


@pytest.mark.figure("7", quick=20, full=400)
def test_the_name_we_are_called_by_changes_no_answer(world: World, proof: Proof) -> None:
    """Links, redirects, feeds and the document are made of the public URL: a poisoned Host leads nobody away."""
    for number, door in list(enumerate(DOORS))[0 if FULL else world.turn :: 1 if FULL else 2]:
        known = told(called(world, door, "")) if not door.changes else ""
        for host in HOSTS if FULL else [HOSTS[number // 2 % len(HOSTS)]]:
            answer = called(world, door, host)
            said = f"{answer.headers} {answer.text}".lower()
            wrong = [f"{door.name} as {host}: names it"] * ("evil.example" in said or "[::1]" in said)
            if known and told(answer) != known:
                wrong.append(f"{door.name} as {host}: {difference(known, told(answer))}")
            proof.case(*wrong)


@pytest.mark.parametrize("path", ["/desk", "/v1//sites/blog/thread?page=/x", "/desk//comments"])
def test_a_redirect_of_the_router_names_no_host(app: Flask, path: str) -> None:
    answer = sent(app.test_client(), path, headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith(("/desk/", "/v1/sites/"))
    assert "evil.example" not in answer.text


@pytest.mark.control("7")
def test_links_made_of_the_host_are_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name of the request in place of the public URL the feed and the fragment tell it."""
    (feed,) = (door for door in DOORS if door.rule.endswith("/feed.atom"))
    assert world.app.config["PUBLIC_URL"] in called(world, feed, "").text
    known = told(called(world, feed, ""))
    monkeypatch.setattr("service.comments.routes.settings", lambda: _Poisoned())
    answer = called(world, feed, "evil.example")
    assert "evil.example" in answer.text
    assert told(answer) != known


class _Poisoned:
    """Settings that believe the request."""

    @property
    def public_url(self) -> str:
        return request.host_url.rstrip("/")
