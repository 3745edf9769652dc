"""Whatever the API makes and deletes is there in between, at each of its doors, and at none of them afterwards.

Schemathesis has checks for both; but they wait for what one answer tells another request, and are counted as done
whether they found something to look at or not. These ask about every thing that the API deletes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.db import transaction

from .doors import DOORS, Door
from .ledger import Proof
from .world import Place, World

THINGS = {
    "/v1/rules/<uuid:rule_id>": "rule",
    "/v1/tokens/<uuid:token_id>": "token",
    "/v1/moderators/<uuid:moderator_id>": "member",
    "/v1/moderators/invites/<uuid:invite_id>": "invite",
    "/v1/moderation/filters/<uuid:filter_id>": "filter",
    "/v1/webhooks/endpoints/<uuid:endpoint_id>": "endpoint",
}
"""What is deleted by its id → what its id is called in the doors."""
ENDED = {"token", "invite"}
"""These are ended, and their rows kept for what they did. Ending one twice is fine, and changes nothing."""
WITHOUT_AN_ID = {
    "/v1/moderation/claims": "gives back what somebody works on, which goes on being there",
    "/v1/moderation/comments/<uuid:comment_id>/pin": "the comment goes on being there",
    "/v1/mine": "an author's own; what is left of a comment is told in tests/authors",
}


def door(method: str, rule: str) -> Door:
    (found,) = (one for one in DOORS if (one.method, one.rule) == (method, rule))
    return found.settled()


def around(rule: str) -> list[Door]:
    """The doors about a thing, but for the one that deletes it."""
    found = [one for one in DOORS if one.rule == rule or one.rule.startswith(f"{rule}/")]
    return [one.settled() for one in found if one.method != "DELETE"]


class Life:
    """A thing of its own, and its site's owner who asks about it."""

    def __init__(self, world: World, rule: str) -> None:
        self.world, self.rule = world, rule
        self.id = self._made()
        self.place: Place = replace(world.a, ids=world.a.ids | {THINGS[rule]: self.id})

    def _made(self) -> str:
        collection = self.rule.rpartition("/")[0]
        if collection == "/v1/moderators":  # made by an invitation, which somebody accepts
            with transaction():
                return self.world.member(self.world.a)
        told: Any = self.ask(door("POST", collection), self.world.a).json
        return str(told["id"])

    def ask(self, one: Door, place: Place | None = None) -> TestResponse:
        place = place or self.place
        return self.world.send(one, place, Authorization=f"Bearer {place.tokens['owner']}")

    def _is_listed(self) -> bool:
        answer = self.ask(door("GET", self.rule.rpartition("/")[0]))
        assert answer.status_code == 200, answer.text
        return self.id in answer.text

    def faults(self) -> Iterator[list[str]]:
        """What is wrong at each door while it is there, as it goes, and when it is gone."""
        yield self._wrong("is not listed", not self._is_listed())
        for one in around(self.rule):
            status = self.ask(one).status_code
            yield self._wrong(f"{one.method} {one.rule}: {status} while it is there", status >= 300)
        delete = door("DELETE", self.rule)
        status = self.ask(delete).status_code
        yield self._wrong(f"{status} as it is deleted", status >= 300)
        yield self._wrong("is listed though it is deleted", self._is_listed())
        for one in around(self.rule):
            status = self.ask(one).status_code
            yield self._wrong(f"{one.method} {one.rule}: {status} after it is deleted", status != 404)
        status = self.ask(delete).status_code
        yield self._wrong(f"{status} as it is deleted twice", status != (204 if THINGS[self.rule] in ENDED else 404))

    def _wrong(self, what: str, is_so: bool) -> list[str]:
        return [f"{THINGS[self.rule]}: {what}"] * is_so


def test_all_that_the_api_deletes_is_looked_at() -> None:
    deleted = {one.rule for one in DOORS if one.method == "DELETE"}
    assert deleted == set(THINGS) | set(WITHOUT_AN_ID)
    assert not set(THINGS) & set(WITHOUT_AN_ID)


@pytest.mark.figure("5c", quick=4, full=4)
@pytest.mark.parametrize("rule", THINGS, ids=THINGS.values())
def test_a_thing_is_there_until_it_is_deleted_and_no_longer(world: World, proof: Proof, rule: str) -> None:
    for found in Life(world, rule).faults():
        proof.case(*found)


@pytest.mark.control("5c")
@pytest.mark.parametrize("rule", THINGS, ids=THINGS.values())
def test_a_thing_that_stays_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Its door says that it is deleted, and does nothing."""
    life = Life(world, rule)
    monkeypatch.setitem(world.app.view_functions, endpoint_of(world, rule, "DELETE"), lambda **_: ("", 204))
    found = [line for lines in life.faults() for line in lines]
    assert f"{THINGS[rule]}: is listed though it is deleted" in found
    assert len([line for line in found if line.endswith("after it is deleted")]) == len(around(rule))
    assert any(line.endswith("deleted twice") for line in found) == (THINGS[rule] not in ENDED)


@pytest.mark.control("5c")
@pytest.mark.parametrize("rule", [rule for rule in THINGS if around(rule)])
def test_a_thing_that_cannot_be_had_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    life = Life(world, rule)
    (first, *_) = around(rule)
    monkeypatch.setitem(world.app.view_functions, endpoint_of(world, rule, first.method), lambda **_: ("", 404))
    assert any("404 while it is there" in line for lines in life.faults() for line in lines)


def endpoint_of(world: World, rule: str, method: str) -> str:
    (found,) = (one for one in world.app.url_map.iter_rules() if one.rule == rule and method in (one.methods or ()))
    return found.endpoint
