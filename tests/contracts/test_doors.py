"""Every door is listed as open, guarded or a page, and a guarded one lets no stranger see anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from service import app as house
from service.app import GUARDED, OPEN, PAGES
from service.db import db
from service.doors import GuardedDoor, OpenDoor
from tests.conftest import add_site
from tests.moderation.conftest import token_of
from tests.support import post

OF_LIBRARIES = {
    "security": "signing in and out; flask-security's, one view of its own each",
    "api-docs": "/openapi.json; flask-smorest's",
    "docs": "the reference page and its assets; the same for everybody",
    "desk.files": "style sheets and scripts of the desk; no data",
}
"""Blueprints that are in no list of service.app, and what lets them be open."""

STRANGERS = [
    {},
    {"Authorization": "Bearer grm_" + "x" * 43},
    {"Authorization": "Bearer gra_" + "x" * 43},
    {"Cookie": "session=eyJzaWduX2luIjoiMDE5MCJ9.aaaa.bbbb"},
    {"Accept": "text/html"},
]
SOME_ID = UUID("0190f0f0-0000-7000-8000-000000000000")


def guarded_rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if getattr(app.blueprints.get(rule.endpoint.rpartition(".")[0]), "guarded", False):
            yield rule


def let_in(app: Flask, rules: Iterator[Rule]) -> list[str]:
    """Which doors answer a stranger with anything but 401, or for a browser the way to the sign-in page."""
    client = app.test_client()
    found = []
    for rule in rules:
        path = app.url_map.bind("localhost").build(rule.endpoint, _values(rule), method=_first(rule))
        for method in sorted(rule.methods or ()):
            for headers in STRANGERS:
                answer = client.open(path, method=method, headers=headers)
                signs_in = answer.status_code == 303 and "/desk/sign-in" in answer.headers["Location"]
                if answer.status_code != 401 and not signs_in:
                    found.append(f"{method} {rule.rule}: {answer.status_code}")
    return found


def _first(rule: Rule) -> str:
    return min((rule.methods or set()) - {"OPTIONS", "HEAD"})


def _values(rule: Rule) -> dict[str, object]:
    return {name: SOME_ID if name.endswith("_id") else "x" for name in rule.arguments}


def unlisted(app: Flask) -> set[str]:
    return set(app.blueprints) - {one.name for one in (*OPEN, *GUARDED, *PAGES)} - set(OF_LIBRARIES)


def test_every_blueprint_is_listed(bare: Flask) -> None:
    assert unlisted(bare) == set()
    assert set(OF_LIBRARIES) <= set(bare.blueprints)


def test_the_lists_say_what_the_doors_are() -> None:
    assert [one.name for one in OPEN if getattr(one, "guarded", False)] == []
    assert [one.name for one in GUARDED if not getattr(one, "guarded", False)] == []
    assert {one.name for one in PAGES if getattr(one, "guarded", False)} == {"account", "desk", "team"}


def test_every_view_of_a_guarded_door_names_its_scope(bare: Flask) -> None:
    rules = list(guarded_rules(bare))
    assert len(rules) > 15
    unmarked = {one.endpoint for one in rules if not hasattr(bare.view_functions[one.endpoint], "guarded_scope")}
    assert unmarked == set()


def test_no_guarded_door_answers_a_stranger(app: Flask) -> None:
    assert let_in(app, guarded_rules(app)) == []


def test_an_open_door_is_seen_to_answer(bare: Flask) -> None:
    rules = (one for one in bare.url_map.iter_rules() if one.endpoint in ("health.healthz", "comments.preview"))
    assert {line.split(":")[0] for line in let_in(bare, rules)} >= {"GET /healthz", "POST /v1/sites/<site>/preview"}


def test_an_unmarked_view_is_refused_all_the_same(seeded: Flask) -> None:
    """The guard stands at the blueprint: a forgotten decorator costs the scope, not the sign-in."""
    rules = [one for one in guarded_rules(seeded) if one.endpoint == "seeded.leak"]
    assert len(rules) == 1
    assert not hasattr(seeded.view_functions["seeded.leak"], "guarded_scope")
    assert let_in(seeded, iter(rules)) == []


def test_a_door_without_a_guard_is_seen(seeded: Flask) -> None:
    seeded.before_request_funcs[None] = []
    rules = (one for one in guarded_rules(seeded) if one.endpoint == "seeded.leak")
    assert let_in(seeded, rules)


def lenient(app: Flask, headers: dict[str, str], author: str = "") -> list[str]:
    """Which doors of the API take a parameter, or a field, that there is not."""
    client, found = app.test_client(), []
    for rule in app.url_map.iter_rules():
        if not isinstance(app.blueprints.get(rule.endpoint.rpartition(".")[0]), OpenDoor | GuardedDoor):
            continue
        path = app.url_map.bind("localhost").build(rule.endpoint, _values(rule), method=_first(rule))
        for method, said in product(sorted(rule.methods - {"HEAD", "OPTIONS"}), ("query_string", "json")):
            who = {"Authorization": f"Author {author}"} if rule.rule.startswith("/v1/mine") else headers
            answer = client.open(path, method=method, headers=who, **{said: {"odd": 1}})
            if answer.status_code != 422 or "odd" not in answer.json["errors"]:
                found.append(f"{method} {rule.rule}: {answer.status_code}")
    return found


@pytest.fixture
def admin(app: Flask) -> dict[str, str]:
    add_site("x", ["https://x.example.org"])
    return {"Authorization": f"Bearer {token_of('ada', None, is_admin=True)}"}


def test_no_door_takes_what_it_does_not_know(app: Flask, admin: dict[str, str]) -> None:
    said = post(app.test_client(), "x", page="https://x.example.org/")
    assert lenient(app, admin, said.json["author_token"]) == []


def test_a_door_that_takes_anything_is_seen(app: Flask, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.accounts.guard.refuse_unasked", lambda: None)
    monkeypatch.setitem(app.before_request_funcs, "comments", [])
    found = lenient(app, admin)
    assert "GET /v1/moderation/stats: 200" in found
    assert "GET /v1/sites/<site>/latest: 200" in found


@pytest.fixture
def seeded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app with one more guarded door, whose view forgot its decorator."""
    door = GuardedDoor("seeded", __name__)
    door.add_url_rule("/v1/seeded", view_func=leak, endpoint="leak")
    monkeypatch.setattr(house, "GUARDED", (*GUARDED, door))
    made = house.create_app(app.extensions["greenroom_settings"])
    yield made
    with made.app_context():
        db.engine.dispose()


def leak() -> str:
    return "everything"


def test_an_unlisted_blueprint_is_seen(seeded: Flask) -> None:
    assert unlisted(seeded) == {"seeded"}
