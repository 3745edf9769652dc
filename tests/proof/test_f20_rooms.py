"""Figure 20: no code beside that of the rooms is forgotten: its mutants are made, or it is named with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch

import pytest

from .elsewhere import BESIDE, ELSEWHERE
from .ledger import Proof
from .mutation import ROOT, mutants
from .rooms import ROOMS, Room


def files() -> list[str]:
    return [str(one.relative_to(ROOT)) for room in BESIDE for one in sorted((ROOT / "service" / room).rglob("*.py"))]


def forgotten(rooms: Mapping[str, Room], elsewhere: Mapping[str, str], file: str) -> Iterator[str]:
    """What is wrong about a file: nobody makes mutants of it, or of a function; or it has a reason and a room."""
    named = [room.code[file] for room in rooms.values() if file in room.code]
    reasons = [one for one in elsewhere if fnmatch(file, one)]
    if not named and not reasons:
        yield f"{file}: no room, and no reason"
    if named and reasons:
        yield f"{file}: a room, and a reason to have none"
    if named and () not in named:
        there, known = {one.function for one in mutants(file)}, {one for some in named for one in some}
        yield from (f"{file}: no room for {one or 'what is outside of functions'}" for one in sorted(there - known))
        yield from (f"{file}: {one} is not there" for one in sorted(known - there))


@pytest.mark.figure("20", quick=60, full=60)
def test_every_file_is_in_a_room_or_named_with_a_reason(proof: Proof) -> None:
    found = files()
    for file in found:
        proof.case(*forgotten(ROOMS, ELSEWHERE, file))
    stale = {one for one in ELSEWHERE if not any(fnmatch(file, one) for file in found)}
    proof.cases(0, [f"{one} is not there" for one in sorted(stale)])
    proof.cases(0, [f"{file} is not there" for room in ROOMS.values() for file in room.code if file not in found])
    proof.note(f"{len({file for room in ROOMS.values() for file in room.code})} of {len(found)} files in rooms")


@pytest.mark.control("20")
def test_a_file_and_a_function_without_a_room_are_seen() -> None:
    file = "service/comments/operations.py"
    some = {"a": Room({file: ("transition", "gone")}, ())}
    assert list(forgotten({}, ELSEWHERE, file)) == [f"{file}: no room, and no reason"]
    assert list(forgotten(some, {"service/*/operations.py": "a reason"}, file))[0].endswith("a reason to have none")
    found = list(forgotten(some, ELSEWHERE, file))
    assert f"{file}: no room for submit" in found
    assert f"{file}: gone is not there" in found
