"""Figure 20: mutants of what renders, seals, lets in and decides: how many the tests of these rooms find."""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import FULL

from .equivalents import EQUIVALENT
from .ledger import Proof
from .mutation import ROOT, mutants
from .rooms import ROOMS

BAR = 0.85
MOST_EQUIVALENT = 0.05
QUICK = 12
FLOORS = {
    "rendering": 800, "sealing": 350, "accounts": 120, "entering": 100, "states": 120, "authors": 60, "deciding": 60,
    "outbound": 60,
}  # fmt: skip
DRAWN = {name: FLOORS[name] for name in ("accounts", "entering", "states", "authors", "deciding", "outbound")}
"""Mutants drawn by lot, where each that lives has to meet hundreds of tests with a database."""


@dataclass(frozen=True)
class Met:
    """A mutant and the test that found it; "" when it lives, None when it had to be stopped."""

    name: str
    line: int
    fate: str | None


def met(room: str, *options: str) -> list[Met]:
    """What became of the mutants of a room, from a process that has imported nothing yet."""
    environment = {
        name: value for name, value in os.environ.items()
        if name == "GREENROOM_CORPORA" or not name.startswith("GREENROOM_")
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.mutants", room, *options],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return [Met(*json.loads(line)) for line in done.stdout.splitlines()]


def score(found: list[Met]) -> tuple[float, list[str]]:
    """The part of the mutants that were found, and those that live though they need not."""
    counted = [one for one in found if one.name not in EQUIVALENT]
    alive = [f"line {one.line} of {one.name}" for one in counted if one.fate == ""]
    return 1 - len(alive) / len(counted), alive


@pytest.mark.long
@pytest.mark.parametrize(
    "room",
    [
        pytest.param(room, marks=pytest.mark.figure("20", quick=QUICK, full=FLOORS[room]))
        for room in (ROOMS if FULL else ["rendering"])
    ],
)
def test_mutants_are_found(room: str, proof: Proof) -> None:
    drawn = DRAWN.get(room) if FULL else QUICK
    found = met(room, *(["--chosen", str(drawn)] if drawn else []))
    part, alive = score(found)
    proof.cases(len(found), [f"lives: {one}" for one in alive] if part < BAR else [])
    stopped = sum(one.fate is None for one in found)
    proof.note(f"{room}: {part:.1%} found, {stopped} of them by taking too long; alive: {'; '.join(alive) or 'none'}")


@pytest.mark.full
@pytest.mark.control("20")
def test_a_sure_mutant_is_found_and_with_emptied_tests_none_is() -> None:
    sure = ["--named", "rendering.py clean: ", "--chosen", "3"]
    assert score(met("rendering", *sure))[0] == 1
    assert score(met("rendering", *sure, "--emptied"))[0] == 0


def test_equivalent_mutants_are_few_and_are_there() -> None:
    made = {one.name for room in ROOMS.values() for file, some in room.code.items() for one in mutants(file, some)}
    assert set(EQUIVALENT) <= made, sorted(set(EQUIVALENT) - made)
    assert len(EQUIVALENT) <= MOST_EQUIVALENT * len(made)


def test_mutants_change_one_place_each(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(_CODE)
    made = list(mutants(str(tmp_path / "code.py")))
    assert [one.name.partition(" ")[2] for one in made] == _CHANGES
    assert len({marshal.dumps(one.code()) for one in made} - {marshal.dumps(_UNCHANGED)}) == len(made)


_CODE = """
MOST = 3
def take(found: list[int], least: int = 1) -> int:
    'Not a place.'
    assert found
    if found and not least > 2:
        found.sort(reverse=True)
    return len(found) + 1
"""
_UNCHANGED = compile(_CODE, "", "exec")
_CHANGES = [
    "outside: 3 → 4",
    "outside: 1 → 2",
    "take: found and (not least > 2) → found or not least > 2",
    "take: not least > 2 → least > 2",
    "take: least > 2 → least >= 2",
    "take: 2 → 3",
    "take: found.sort(reverse=True) → pass",
    "take: found.sort(reverse=True) → found.sort()",
    "take: True → False",
    "take: return len(found) + 1 → return None",
    "take: len(found) + 1 → len(found) - 1",
    "take: len(found) → len()",
    "take: len(found) → found",
    "take: 1 → 2",
]
