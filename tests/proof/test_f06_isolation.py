"""Who may do what on which site: every door × eleven callers × two sites, against the table in roles.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.accounts.principal import Principal
from service.sites.models import Site
from tests.support import FULL

from .callers import ROLES, SIGNED_OUT, Callers, Cell, cells, table
from .doors import DOORS
from .ledger import Proof
from .world import SOME_ID, Place, World, changed, rules, snapshot

WITHOUT_A_SITE = ("/v1/sites", "/v1/pages", "/v1/audit", "/v1/events", "/v1/moderation/comments",
                  "/v1/moderation/stats", "/v1/rules", "/desk/", "/desk/rules")  # fmt: skip
"""Lists that may be asked without naming a site: then they are about the caller's own ones."""

EVERY = 1 if FULL else 13
"""At quick size every thirteenth cell: as many callers of each door as there is time for, others on each database."""


def wrong_cells(world: World, asked: Sequence[Cell]) -> Iterator[str]:
    """Every cell that is not as the table says, or where somebody saw or changed what they may not."""
    callers = Callers(world)
    for _, of_one in groupby(asked, lambda cell: cell.door.name):
        door = list(of_one)
        idle = [cell for cell in door if not cell.changes]
        # Compared after each cell, which tells at once which it was; at quick size once for all of a door.
        for some in ([cell] for cell in idle) if FULL else [idle]:
            for cell in some:
                callers.prepare(cell)
            before = snapshot()
            for cell in some:
                yield from wrong_with(world, callers, cell)
            if found := changed(before):
                yield f"{' or '.join(cell.name for cell in some)}: changed {', '.join(found)}"
        for cell in door:
            if cell.changes:
                callers.prepare(cell)
                yield from wrong_with(world, callers, cell)


def wrong_with(world: World, callers: Callers, cell: Cell) -> Iterator[str]:
    answer = callers.ask(cell)
    leads_in = answer.status_code == 303 and answer.headers["Location"].startswith("/desk/sign-in?")
    got = "in" if leads_in else str(answer.status_code)
    if got != cell.wanted:
        yield f"{cell.name}: {got} instead of {cell.wanted}"
    for what in sorted(unseen(world, callers, cell)):
        if what in answer.text and what not in answer.request.path:
            yield f"{cell.name}: tells {what}"


def unseen(world: World, callers: Callers, cell: Cell) -> set[str]:
    """What the answer must not hold: all of a site on which they have no role; of what is published, the rest."""
    about = callers.place(cell)
    own = callers.own(cell.role)
    if cell.door.name == "GET /v1/mine" and cell.role == "stranger":  # sees what they wrote, wherever they ask
        return everything(world.b) | hidden(world.a) - {world.a.said[1].id}
    if cell.door.is_public or cell.door.rule == "/mine":
        return hidden(about) | everything(world.b if about is world.a else world.a)
    if cell.role == "admin" and cell.door.is_guarded:
        return set()
    blind = cell.role in SIGNED_OUT or not cell.door.is_guarded
    return set().union(*(everything(place) for place in (world.a, world.b) if blind or place is not own))


def everything(place: Place) -> set[str]:
    return {place.mark, str(place.site.id), *place.ids.values(), *place.addresses, *place.site.origins}


def hidden(place: Place) -> set[str]:
    """Of a site whose published comments anybody may read."""
    private = {one for name, one in place.ids.items() if name not in ("approved", "reply", "page_id")}
    return {*private, *place.addresses, str(place.site.id)}


def test_every_door_is_in_the_table(app: Flask) -> None:
    named = {name.removesuffix(" by session") for name in table()}
    assert named == {name for name, _ in rules(app)}
    assert named == {door.name for door in DOORS}
    assert len(ROLES) >= 9


def test_the_table_lets_nobody_in_elsewhere() -> None:
    """Whoever is let in at home finds nothing there, and whoever is refused at home is refused there too."""
    for cell in cells():
        of_a_thing = cell.door.is_guarded and "{" in cell.door.path + json.dumps(cell.door.json)
        if of_a_thing and cell.at == "other" and cell.role != "admin":
            own = replace(cell, at="own", wanted=table()[cell.door.name][cell.role].partition("/")[0])
            assert cell.wanted == "404" if not own.is_refused else cell.is_refused, cell.name


@pytest.mark.figure("6", quick=100, full=1_300)
def test_each_caller_gets_what_the_table_says(world: World, proof: Proof) -> None:
    asked = cells()[world.turn % EVERY :: EVERY]
    assert {cell.door.name for cell in asked} == {door.name for door in DOORS}
    assert {cell.role for cell in asked} == set(ROLES)
    proof.cases(len(asked), wrong_cells(world, asked))


@pytest.mark.figure("6", quick=14, full=14)
def test_lists_without_a_site_hold_nothing_of_another(world: World, proof: Proof) -> None:
    """200, and about one's own."""
    before = snapshot()
    for own, other in ((world.a, world.b), (world.b, world.a)):
        bearer = {"Authorization": f"Bearer {own.tokens['owner']}"}
        for path in WITHOUT_A_SITE:
            body = world.app.test_client().get(path, headers=bearer).text
            sees = own.mark in body or own.site.key in body
            told = [what for what in everything(other) | {f'"{other.site.key}"'} if what in body]
            proof.case(*[f"{path} shows nothing of one's own"] * (not sees), *(f"{path} tells {what}" for what in told))
    assert changed(before) == []


@pytest.mark.figure("6", quick=10, full=10)
def test_many_ids_of_another_site_are_decided_by_nobody(world: World, proof: Proof) -> None:
    bearer = {"Authorization": f"Bearer {world.b.tokens['owner']}"}
    states = ("pending", "approved", "rejected", "spam", "deleted")
    items = [{"id": world.a.ids[state]} for state in states]
    before = snapshot()
    for decision in ("delete", "approve"):
        answer = world.app.test_client().post(
            "/v1/moderation/decisions", json={"decision": decision, "items": items}, headers=bearer
        )
        assert len(answer.json["results"]) == len(states)
        for one in answer.json["results"]:
            told = "There is no comment by that id, or you have no role on its site."
            proof.case(*[f"{one}"] * (one["problem"] != told))
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


@pytest.mark.figure("6", quick=8, full=17)
def test_what_is_foreign_is_told_in_the_words_of_what_is_not_there(world: World, proof: Proof) -> None:
    """Else a moderator could find out which ids and sites exist elsewhere."""
    nowhere = Place(Site(id=SOME_ID, key="nowhere", origins=[]), ids=dict.fromkeys(world.a.ids, str(SOME_ID)))
    bearer = f"Bearer {world.b.tokens['owner']}"
    doors = [door for door in DOORS if door.is_guarded and table()[door.name]["owner"].endswith("404")]
    for door in doors[0 if FULL else world.turn :: 1 if FULL else 2]:
        door = replace(door.settled(), accept="application/json")
        foreign, missing = (world.send(door, place, Authorization=bearer) for place in (world.a, nowhere))
        same = same_words(foreign, world.a) == same_words(missing, nowhere)
        proof.case(*[f"{door.name}: {foreign.text} is not {missing.text}"] * (not same))


def same_words(answer: TestResponse, place: Place) -> str:
    """An answer without what was asked for."""
    body = f"{answer.status_code} {answer.text}"
    for one in (*place.ids.values(), place.site.key):
        body = body.replace(one, "…")
    return re.sub("[0-9a-f]{32,}", "…", body)


@pytest.mark.control("6")
def test_a_role_that_covers_every_site_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a guard that lets everybody be an owner everywhere, the same check finds the foreign cells."""
    monkeypatch.setattr(Principal, "role_on", lambda self, site_id: "owner")
    monkeypatch.setattr(Principal, "sites", None)
    asked = [
        cell for cell in cells()
        if cell.role == "neighbour" and cell.at == "other" and cell.means == "token"
        and (cell.door.rule.startswith(("/v1/moderation/comments", "/v1/pages", "/desk/comments")))
    ]  # fmt: skip
    found = list(wrong_cells(world, asked))
    assert sum("instead of 404" in line for line in found) >= 8, json.dumps(found, indent=1)
    assert any(f"tells {world.a.mark}" in line for line in found)
    assert any("changed" in line for line in found)


@pytest.mark.control("6")
def test_a_door_that_the_table_lacks_is_seen(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: row for name, row in table().items() if name != "GET /v1/audit"}
    monkeypatch.setattr("tests.proof.test_f06_isolation.table", lambda: without)
    with pytest.raises(AssertionError):
        test_every_door_is_in_the_table(app)
