"""Which pages may read an answer: those of the exact origins that a site lists, and only what is public."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.db import db, transaction
from service.sites import operations as sites
from tests.support import FULL

from .doors import DOORS, Door
from .ledger import Proof
from .origins import ALLOWED, KINDS, NEEDED, ORIGINS, Asked, asked, wrong_origins
from .world import World

PUBLIC = [door for door in DOORS if door.is_public]
PRIVATE = [door for door in DOORS if not door.is_public]
READING, REFUSED = KINDS[:2], KINDS[2:]
PARTS = 4 if FULL else 1
"""Each with a site that is as small as at first."""
Way = tuple[Door, str, str]
LISTED = ("http://localhost:4321", "https://xn--bcher-kva.example", "https://blog.example.org:8443", ALLOWED)


def test_there_are_origins_enough() -> None:
    assert len(set(ORIGINS)) == len(ORIGINS) >= 40


@pytest.mark.figure("7", quick=100, full=3_300)
def test_only_the_sites_own_origin_may_read_public_answers(world: World, proof: Proof) -> None:
    ways = list(product(PUBLIC, KINDS, ORIGINS))
    if not FULL:
        ways = [*ways[world.turn :: 41], *product(PUBLIC, NEEDED, [ALLOWED])]
    statuses = set()
    for one in asked(world, ways):
        proof.case(*wrong_origins(one))
        statuses.add(one.answer.status_code)
    assert len(statuses) >= 7, "not every kind of answer was seen"


@pytest.mark.figure("7", quick=250, full=5_600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_origin_may_read_a_private_answer(world: World, proof: Proof, part: int) -> None:
    for one in asked(world, private_ways(world.turn)[part::PARTS], **_moderator(world)):
        proof.case(*wrong_origins(one))


def private_ways(turn: int) -> list[Way]:
    """Every private door from every origin, by a request and by its preflight; of what is refused a third.

    By chance, not each third of a list: its pairs would be the same at every door.
    """
    chance = random.Random(7 + turn)
    by_pages, refused = (list(product(PRIVATE, kinds, ORIGINS)) for kinds in (READING, REFUSED))
    chosen = [*by_pages, *chance.sample(refused, len(refused) // 3)]
    chance.shuffle(chosen)
    return chosen if FULL else chosen[:250]


@pytest.mark.parametrize("turn", [0, 1])
def test_origins_meet_private_doors_in_every_way(turn: int) -> None:
    """At full size all of them every door, by what pages read; in any size many of them some door, by each way."""
    ways = {(door.name, kind, origin) for door, kind, origin in private_ways(turn)}
    for kind in KINDS:
        assert len({origin for _, one, origin in ways if one == kind}) > len(ORIGINS) // 4, kind
    if FULL:
        names = [door.name for door in PRIVATE]
        assert ways.issuperset(product(names, READING, ORIGINS))
        assert {way[:2] for way in ways} == set(product(names, KINDS))


def _moderator(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.a.tokens['moderator']}"}


@pytest.mark.figure("7", quick=16, full=16)
def test_every_origin_of_a_site_is_named_by_itself(world: World, proof: Proof) -> None:
    with transaction():
        sites.change_site(world.a.site, {"origins": list(LISTED)}, actor="test")
    doors = [door for door in PUBLIC if not door.changes][:4]
    for door, origin in product(doors, LISTED):
        named = world.send(door, world.a, Origin=origin).headers.get("Access-Control-Allow-Origin")
        proof.case(*[f"{door.name} from {origin}: {named}"] * (named != origin))


@pytest.mark.figure("7", quick=6, full=6)
def test_an_answer_that_has_not_changed_names_the_origin_too(world: World, proof: Proof) -> None:
    for door in (one for one in PUBLIC if not one.changes):
        first = world.send(door, world.a, Origin=ALLOWED)
        if "ETag" in first.headers:
            again = world.send(door, world.a, Origin=ALLOWED, If_None_Match=first.headers["ETag"])
            assert again.status_code == 304, door.name
            proof.case(*wrong_origins(Asked(f"{door.name}, unchanged", door, "simple", ALLOWED, again)))


@pytest.fixture
def strict(app: Flask) -> Iterator[FlaskClient]:
    """The same database behind limits of one call."""
    settings: Settings = app.extensions["greenroom_settings"]
    made = create_app(replace(settings, limits_enabled=True, limit_submit="1/hour", limit_preview="1/hour"))
    yield made.test_client()
    with made.app_context():
        db.engine.dispose()


@pytest.mark.figure("7", quick=2, full=2)
def test_a_refusal_for_being_too_many_names_the_origin_too(world: World, strict: FlaskClient, proof: Proof) -> None:
    for name in ("comments", "preview"):
        (door,) = (one for one in PUBLIC if one.path == f"/v1/sites/{{site}}/{name}")
        world.send(door, world.a, client=strict, Origin=ALLOWED)
        answer = world.send(door, world.a, client=strict, Origin=ALLOWED)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        proof.case(*wrong_origins(Asked(f"{door.name}, too many", door, "simple", ALLOWED, answer)))


@pytest.mark.control("7")
@pytest.mark.parametrize("echoed", [True, False], ids=["whoever asks", "everybody"])
def test_an_origin_that_is_echoed_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, echoed: bool) -> None:
    """Doors that name whoever asks, or `*`, and let cookies come along."""

    def echo(response: Any) -> Any:
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*") if echoed else "*"
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    monkeypatch.setitem(world.app.after_request_funcs, "comments", [echo])
    (door,) = (one for one in PUBLIC if one.rule.endswith("/latest"))
    some = ORIGINS[::6]
    found = [list(wrong_origins(one)) for one in asked(world, product([door], ["simple"], some))]
    assert len(found) == len(some) and all(found), "an answer passed as right"
    lines = [line for some in found for line in some]
    assert len([line for line in lines if line.endswith("credentials")]) == len(some)
    assert any("Vary lacks Origin" in line for line in lines)
    assert any(line.endswith(": https://evil.example" if echoed else ": *") for line in lines)
