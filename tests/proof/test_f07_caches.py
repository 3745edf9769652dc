"""What a shared cache gives away: whoever asks before, everybody gets through it what the app itself would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pytest
from flask import request
from werkzeug.wrappers import Response

from service.accounts import guard
from service.sites.origins import allow_origin
from tests.support import FULL

from .answers import difference, told
from .callers import SignedIn
from .doors import DOORS, Door
from .ledger import Proof
from .origins import ALLOWED
from .shared_cache import SharedCache
from .world import World, filled, sent

READS = [door for door in DOORS if door.method == "GET"]
HELD = [replace(door, path=door.path.replace("{approved}", "{pending}")) for door in READS if "{approved}" in door.path]
"""The same about a comment that waits: its author may be told of it some day, nobody else."""


def askers(world: World) -> dict[str, Mapping[str, str]]:
    """Everybody by the headers that make them who they are."""
    (cookie,) = SignedIn(world, "moderator@blog.example.org")._cookies.values()  # type: ignore[union-attr]
    held = next(one for one in world.a.said if one.id == world.a.ids["pending"])
    return {
        "nobody": {},
        "a page of the site": {"Origin": ALLOWED},
        "an evil page": {"Origin": "https://evil.example"},
        "a page of no origin": {"Origin": "null"},
        "the moderator's token": {"Authorization": f"Bearer {world.a.tokens['moderator']}"},
        "the moderator's browser": {"Cookie": f"{cookie.key}={cookie.value}"},
        "the neighbour's token": {"Authorization": f"Bearer {world.b.tokens['moderator']}"},
        "the author": {"Authorization": f"Author {held.token}", "Origin": ALLOWED},
    }


class Cache(Protocol):
    """`hits`: answers for which the app was not asked; `confirmed`: those that it said still hold."""

    hits: int
    confirmed: int

    def get(self, path: str, headers: Mapping[str, str]) -> Response: ...


class Compared:
    """Asks through a cache, and the app itself."""

    def __init__(self, world: World) -> None:
        self.world, self.people = world, askers(world)
        self.client = world.app.test_client(use_cookies=False)
        self.straight: dict[tuple[str, str], str] = {}
        signed_in = sent(self.client, "/v1/sites", headers=self.people["the moderator's browser"])
        assert signed_in.status_code == 200

    def after(self, first: str, door: Door, through: Cache | None = None) -> Iterator[tuple[str, list[str]]]:
        """One after the other asks through one cache, `first` before all others and again at the end."""
        path = filled(door.path, self.world.names(door, self.world.a))
        cache = through or SharedCache(self.client)
        others = [who for who in self.people if who != first]
        for who in [first, *others, first]:
            hits = cache.hits
            answer = cache.get(path, self.headers(door, who))
            wrong = []
            if (known := self.known(door, path, who)) != told(answer):
                wrong.append(f"{path} for {who} after {first}: {difference(known, told(answer))}")
            if cache.hits > hits and ("Set-Cookie" in answer.headers or "csrf" in answer.get_data(as_text=True)):
                wrong.append(f"{path} for {who} after {first}: has what was made for somebody else")
            yield who, wrong
        self.spared = cache.hits + cache.confirmed

    def headers(self, door: Door, who: str) -> dict[str, str]:
        return {"Accept": door.accept, **self.people[who]}

    def known(self, door: Door, path: str, who: str) -> str:
        if (path, who) not in self.straight:
            self.straight[path, who] = told(sent(self.client, path, headers=self.headers(door, who)))
        return self.straight[path, who]


def all_after(world: World, doors: Sequence[Door], first: Callable[[int], Sequence[str]]) -> Iterator[list[str]]:
    compared, spared = Compared(world), 0
    for number, door in enumerate(doors):
        for who in first(number):
            for _, wrong in compared.after(who, door):
                yield wrong
            spared += compared.spared
    assert spared, "the cache never had anything to give"


def some_first(number: int) -> list[str]:
    """At quick size one of those whose answers are worth having."""
    return [("the moderator's token", "a page of the site", "the moderator's browser", "the author")[number % 4]]


@pytest.mark.figure("7", quick=35, full=2_000)
def test_everybody_gets_their_own_answer_through_a_cache(world: World, proof: Proof) -> None:
    doors = [*READS, *HELD] if FULL else [*READS, *HELD][world.turn :: 7]
    everybody = list(askers(world))
    for wrong in all_after(world, doors, lambda number: everybody if FULL else some_first(number)):
        proof.case(*wrong)


def without_vary(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Public answers that do not say that they depend on the origin."""

    def forget(response: Any) -> Any:
        del response.headers["Vary"]
        return response

    monkeypatch.setitem(world.app.after_request_funcs, "comments", [forget, allow_origin])
    return "a page of the site"


def without_privacy(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Answers to a token that do not say that they are somebody's own."""
    monkeypatch.setattr(guard, "_keep_private", lambda response: response)
    return "the moderator's token"


def with_what_is_held(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """An author is shown what waits, in an answer that says it depends on the origin only."""

    def show(response: Any) -> Any:
        if request.headers.get("Authorization", "").startswith("Author "):
            response.set_data(f"{world.a.ids['pending']} waits, says {world.a.mark}")
            response.headers["Cache-Control"] = "max-age=60"
        return response

    monkeypatch.setitem(world.app.after_request_funcs, "comments", [show, allow_origin])
    return "the author"


@pytest.mark.control("7")
@pytest.mark.parametrize("spoil", [without_vary, without_privacy, with_what_is_held])
def test_an_answer_that_goes_astray_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, spoil: Any) -> None:
    first = spoil(world, monkeypatch)
    wanted = "/v1/moderation/comments" if spoil is without_privacy else "/v1/sites/<site>/latest"
    (door,) = (one for one in READS if one.rule == wanted)
    found = [line for wrong in all_after(world, [door], lambda _: [first]) for line in wrong]
    victim = {without_vary: "an evil page", without_privacy: "nobody", with_what_is_held: "a page of the site"}[spoil]
    assert any(f" for {victim} after {first}" in line for line in found), found
