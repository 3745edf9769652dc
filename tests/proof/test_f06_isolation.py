"""Who may do what on which site: every guarded door × nine kinds of callers, against a table that is checked in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.accounts.principal import Principal
from service.db import db, transaction
from service.sites.models import Site
from tests.desk.conftest import PASSWORD, Browser

from .doors import DOORS, Door
from .world import SOME_ID, Place, World, changed, rules, snapshot

ROLES = ("anonymous", "author", "revoked", "ended", "viewer", "reader", "moderator", "foreign", "admin")
"""All but `foreign`, the owner of the other site, belong to the site that is asked about."""

TABLE = """
GET   /desk/                                                303 303 303 303 200 200 200 404 200
GET   /desk/<path:elsewhere>                                303 303 303 303 404 404 404 404 404
GET   /desk/comments/<uuid:comment_id>                      303 303 303 303 200 200 200 404 200
POST  /desk/comments/<uuid:comment_id>                      303 303 303 303 403 403 303 404 303
POST  /desk/comments/<uuid:comment_id>/decision             303 303 303 303 403 403 303 404 303
POST  /desk/comments/<uuid:comment_id>/reveal               303 303 303 303 403 403 200 404 200
GET   /v1/sites                                             401 401 401 401 200 200 200 own 200
GET   /v1/pages                                             401 401 401 401 200 200 200 404 200
POST  /v1/pages                                             401 401 401 401 403 403 201 404 201
PATCH /v1/pages/<uuid:page_id>                              401 401 401 401 403 403 200 404 200
POST  /v1/pages/<uuid:page_id>/aliases                      401 401 401 401 403 403 201 404 201
GET   /v1/audit                                             401 401 401 401 403 403 200 404 200
GET   /v1/events                                            401 401 401 401 200 200 200 404 200
GET   /v1/moderation/comments                               401 401 401 401 200 200 200 404 200
GET   /v1/moderation/comments/<uuid:comment_id>             401 401 401 401 200 200 200 404 200
PATCH /v1/moderation/comments/<uuid:comment_id>             401 401 401 401 403 403 200 404 200
POST  /v1/moderation/comments/<uuid:comment_id>/reveal      401 401 401 401 403 403 200 404 200
POST  /v1/moderation/comments/<uuid:comment_id>/decision    401 401 401 401 403 403 200 404 200
POST  /v1/moderation/decisions                              401 401 401 401 403 403 200 404 200
GET   /v1/moderation/decisions/<uuid:bulk_id>               401 401 401 401 404 200 200 404 404
GET   /v1/moderation/stats                                  401 401 401 401 200 200 200 own 200
"""
"""`own`: 200 about the caller's own site, with nothing of the other. A desk that is closed leads to the sign-in."""

WITHOUT_A_SITE = ("/v1/pages", "/v1/audit", "/v1/events", "/v1/moderation/comments", "/desk/")
"""Lists that may be asked without naming a site: then they are about the caller's own ones."""


def table() -> dict[str, dict[str, str]]:
    found = {}
    for line in TABLE.strip().splitlines():
        method, rule, *expected = line.split()
        found[f"{method} {rule}"] = dict(zip(ROLES, expected, strict=True))
    return found


def guarded() -> list[Door]:
    return [door for door in DOORS if door.is_guarded]


class Callers:
    """A client and headers for each role."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens = world.a.tokens | {"foreign": world.b.tokens["owner"], "admin": world.admin}
        self.ended = self._ended_session()

    def _ended_session(self) -> Browser:
        """A browser that still has the cookie of a session which somebody ended."""
        with transaction():
            person = db.session.query(Moderator).filter_by(email="moderator@blog.example.org").one()
            accounts.set_password(person, PASSWORD, actor="test")
        browser = Browser(self.world.app, self.world.app.test_client().response_wrapper, use_cookies=True)
        assert browser.sign_in("moderator@blog.example.org").status_code == 303
        assert browser.get("/v1/sites").status_code == 200
        with transaction():
            accounts.set_password(person, PASSWORD, actor="test")
        return browser

    def call(self, door: Door, role: str) -> tuple[int, str]:
        headers = {}
        if role in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        elif role == "author":
            headers["Authorization"] = f"Author {self.world.a.said[0].token}"
        client = self.ended if role == "ended" else None
        answer = self.world.send(door, self.world.a, client=client, Origin="http://127.0.0.1:8080", **headers)
        return answer.status_code, answer.text


def wrong_cells(world: World, doors: list[Door]) -> Iterator[str]:
    """Every cell that is not as the table says, or where somebody saw or changed what they may not."""
    callers, expected = Callers(world), table()
    before = snapshot()
    for door in doors:
        for role in ROLES:
            wanted = expected[door.name][role]
            status, body = callers.call(door, role)
            after = snapshot()
            cell = f"{door.name} as {role}"
            if status != (200 if wanted == "own" else int(wanted)):
                yield f"{cell}: {status} instead of {wanted}"
            if (wanted == "own" or not wanted.startswith("2")) and role != "viewer" and world.a.mark in body:
                yield f"{cell}: tells of the site"
            refused = wanted[0] in "4o" or (wanted == "303" and role in ROLES[:4])
            if refused and "{fresh}" not in door.path and after != before:
                yield f"{cell}: changed {[name for name in before if before[name] != after[name]]}"
            before = after


def test_every_guarded_door_is_in_the_table(app: Flask) -> None:
    found = {name for name, rule in rules(app) if _is_guarded(app, rule.endpoint)}
    assert found == set(table())
    assert found == {door.name for door in guarded()}
    assert len(found) * len(ROLES) >= 180


def _is_guarded(app: Flask, endpoint: str) -> bool:
    return bool(getattr(app.blueprints.get(endpoint.rpartition(".")[0]), "guarded", False))


def test_each_caller_gets_what_the_table_says(world: World) -> None:
    assert list(wrong_cells(world, guarded())) == []


def test_the_lists_of_an_owner_hold_nothing_of_another_site(world: World) -> None:
    """The same doors without naming a site: 200, but of one's own."""
    bearer = {"Authorization": f"Bearer {world.b.tokens['owner']}"}
    before = snapshot()
    for path in WITHOUT_A_SITE:
        body = world.app.test_client().get(path, headers=bearer).text
        assert world.b.mark in body, f"{path} shows nothing of one's own"
        assert world.a.mark not in body, path
        for told in [world.a.site.id, *world.a.ids.values()]:
            assert str(told) not in body, path
    assert changed(before) == []


def test_many_ids_of_another_site_are_decided_by_nobody(world: World) -> None:
    bearer = {"Authorization": f"Bearer {world.b.tokens['owner']}"}
    items = [{"id": world.a.ids[state]} for state in ("pending", "approved", "spam")]
    before = snapshot()
    answer = world.app.test_client().post(
        "/v1/moderation/decisions", json={"decision": "delete", "items": items}, headers=bearer
    )
    assert {one["problem"] for one in answer.json["results"]} == {"There is no comment by that id."}
    assert world.a.mark not in answer.text
    assert changed(before) == []


def test_a_cursor_of_one_site_opens_no_other(world: World) -> None:
    for place in (world.a, world.b):
        for _ in range(2):
            world.say(place)
    told = world.ask(world.a, "viewer", "GET", "/v1/moderation/comments?site=blog&limit=1").json["next"]
    answer = world.app.test_client().get(
        "/v1/moderation/comments", query_string={"site": "zine", "limit": 1, "cursor": told},
        headers={"Authorization": f"Bearer {world.b.tokens['owner']}"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["cursor"]


def test_what_is_foreign_is_told_in_the_words_of_what_is_not_there(world: World) -> None:
    """Else an owner could find out which ids and sites exist elsewhere."""
    nowhere = Place(Site(id=SOME_ID, key="nowhere", origins=[]), ids=dict.fromkeys(world.a.ids, str(SOME_ID)))
    headers = {"Authorization": f"Bearer {world.b.tokens['owner']}", "Accept": "application/json"}
    compared = 0
    for door in guarded():
        if table()[door.name]["foreign"] == "404":
            door = replace(door, path=door.path.replace("{fresh}", "{pending}"), accept="application/json")
            foreign, missing = (world.send(door, place, **headers) for place in (world.a, nowhere))
            assert (foreign.status_code, missing.status_code) == (404, 404), door.name
            assert same_words(foreign.text, world.a) == same_words(missing.text, nowhere), door.name
            compared += 1
    assert compared >= 17


def same_words(body: str, place: Place) -> str:
    """An answer without what was asked for."""
    for one in (*place.ids.values(), place.site.key):
        body = body.replace(one, "…")
    return re.sub("[0-9a-f]{32,}", "…", body)


def test_a_role_that_covers_every_site_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a guard that lets everybody be an owner everywhere, the table finds the foreign cells."""
    monkeypatch.setattr(Principal, "role_on", lambda self, site_id: "owner")
    doors = [door for door in guarded() if "/moderation/comments" in door.rule or door.rule.startswith("/v1/pages")]
    found = [line for line in wrong_cells(world, doors) if " as foreign:" in line]
    assert sum("instead of 404" in line for line in found) >= 8, json.dumps(found, indent=1)
    assert any("tells of the site" in line for line in found)
    assert any("changed" in line for line in found)
