"""Where two texts differ, word by word, in a time that nobody's text can make long."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

SAME, OLD, NEW = "=", "-", "+"
_GRAINS = (re.compile(r"\s+|\w+|[^\w\s]"), re.compile(r"[^\n]*\n|[^\n]+"))
_MOST = 1_000
"""Words, or else lines, from the first difference to the last that are compared one by one; it takes their square."""


def differences(old: str, new: str) -> list[list[str]]:
    """Pieces in order: `["=", text]` for what both have, `["-", text]` for the old one's, `["+", text]` for the new."""
    for grain in _GRAINS:
        ours, theirs = grain.findall(old), grain.findall(new)
        head = _alike(ours, theirs)
        tail = _alike(ours[head:][::-1], theirs[head:][::-1])
        middle = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
        if max(map(len, middle)) <= _MOST:
            break
    else:
        return _said([(OLD, old), (NEW, new)])
    kept = "".join(ours[len(ours) - tail :])
    return _said([(SAME, "".join(ours[:head])), *_compared(*middle), (SAME, kept)])


def _alike(ours: list[str], theirs: list[str]) -> int:
    """How many pieces both begin with."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(ours), len(theirs)))


def _compared(ours: list[str], theirs: list[str]) -> list[tuple[str, str]]:
    """What both have, unless it is only the blank between two words that differ: then these are one piece."""
    found: list[tuple[str, str]] = []
    old = new = ""
    for what, a, b, c, d in SequenceMatcher(None, ours, theirs).get_opcodes():
        one, other = "".join(ours[a:b]), "".join(theirs[c:d])
        if what == "equal" and not one.isspace():
            found += [(OLD, old), (NEW, new), (SAME, one)]
            old = new = ""
        else:
            old, new = old + one, new + other
    return [*found, (OLD, old), (NEW, new)]


def _said(pieces: list[tuple[str, str]]) -> list[list[str]]:
    return [[what, text] for what, text in pieces if text]
