"""Nobody acts with a moderator's cookie but the desk's own pages: every door that changes something × forgeries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from flask_wtf import CSRFProtect

from service.accounts import guard
from tests.support import FULL

from .callers import SignedIn
from .doors import DOORS, Door
from .forgeries import SENDERS, Attempt, Forger
from .ledger import Proof
from .world import World, changed, snapshot

COOKIED = [door for door in DOORS if door.changes and not door.is_public and door.rule != "/mine"]
"""Doors that a cookie opens. The others read none: F5, test_f07_origins and tests/embed/test_mine ask there."""

EVERY = 1 if FULL else 7


def taken(forger: Forger, attempts: Sequence[Attempt]) -> Iterator[tuple[str, list[str]]]:
    """Each forgery and what is wrong with its answer; at last our own request, which must be taken."""
    door = forger.door
    for some in ([one] for one in attempts) if FULL else [attempts]:
        before = snapshot()
        for one in some:
            yield one.lacks, [f"{door.name}, {one.lacks}: {status}" for status in answered(forger, one)]
        if found := changed(before):
            yield "", [f"{door.name}, {' or '.join(one.lacks for one in some)}: changed {', '.join(found)}"]
    status = forger.send(forger.ours()).status_code
    assert status < 400, f"{door.name}: {status}, so the forgeries may have been refused for another reason"


def answered(forger: Forger, one: Attempt) -> Iterator[int]:
    """The status, when it is not a refusal."""
    status = forger.send(one).status_code
    if not 400 <= status < 500 and not (one.may_read and status in (200, 303)):
        yield status


def every(world: World, doors: Sequence[Door]) -> Iterator[tuple[str, list[str]]]:
    foreign = SignedIn(world, "moderator@blog.example.org").csrf
    owner = SignedIn(world, "owner@blog.example.org")
    for number, door in enumerate(doors):
        if door.rule == "/desk/sign-out":  # ends it
            owner = SignedIn(world, "owner@blog.example.org")
        forger = Forger(world, door, owner)
        yield from taken(forger, list(forger.attempts(foreign))[(number + 2 * world.turn) % EVERY :: EVERY])


@pytest.mark.figure("7", quick=40, full=320)
def test_no_forgery_is_taken(world: World, proof: Proof) -> None:
    for lacks, wrong in every(world, COOKIED):
        proof.cases(bool(lacks), wrong)


def without_token_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CSRFProtect, "protect", lambda self: None)


def without_sender_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_from_own_page", lambda: True)


def without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "refuse_forgery", lambda: None)


@pytest.mark.control("7")
@pytest.mark.parametrize("open_up", [without_token_check, without_sender_check, without_any])
def test_a_door_that_asks_for_less_is_seen(world: World, monkeypatch: pytest.MonkeyPatch, open_up: Any) -> None:
    """Without the check of the token those without one come through, without that of the sender the foreign ones."""
    open_up(monkeypatch)
    monkeypatch.setattr("tests.proof.test_f07_forgery.EVERY", 1)
    (door,) = (door for door in COOKIED if door.rule == "/v1/pages/<uuid:page_id>")
    found = [lacks for lacks, wrong in every(world, [door]) if wrong]
    assert ("foreign token" in found) == (open_up is not without_sender_check)
    assert ("Origin evil" in found) == (open_up is not without_token_check)
    assert "" in found, "what they changed is not seen"
    assert set(SENDERS) <= set(found) or open_up is without_token_check
