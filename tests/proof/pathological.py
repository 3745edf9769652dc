"""Texts that parsers find hard, at any length; and lines that are hard to clean, for every short field."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

LONGEST = 10_000
"""Characters that a comment may have."""


def repeated(unit: str, length: int) -> str:
    """Exactly so many characters; the last unit may be cut."""
    return (unit * (length // len(unit) + 1))[:length]


def _many(unit: str) -> Callable[[int], str]:
    """Whole units, as many as fit: half of one may be another kind of text."""
    return lambda length: unit * (length // len(unit))


def _halves(first: str, second: str) -> Callable[[int], str]:
    return lambda length: repeated(first, length // 2) + repeated(second, length - length // 2)


def _after(start: str, unit: str) -> Callable[[int], str]:
    return lambda length: start + repeated(unit, length - len(start))


def _rising(length: int) -> str:
    """Runs of backticks, each longer than the one before."""
    text, count = "", 1
    while len(text) < length:
        text, count = text + "e" + "`" * count, count + 1
    return text[:length]


def _lists(length: int) -> str:
    """Each item inside the one above."""
    text, level = "", 0
    while len(text) < length:
        text, level = text + "  " * level + "- a\n", level + 1
    return text[:length]


MARKDOWN: dict[str, Callable[[int], str]] = {
    **{f"many {unit!r}": _many(unit) for unit in (
        "[", "![", "[](", "[a](b", '[a](b "', "[a][", "[a]: b\n", "**a ", "a**b*c ", "~~a ", "`a``b```", "> ", "> - ",
        "1. ", "<a ", "<!--", "&#", "\\*", "https://a.b/[", "a@b.c ", "\u0301\u0316", "a\n\n",
    )},
    "brackets opened, then closed": _halves("[", "](b)"),
    "emphasis opened, then closed": _halves("*a ", "a* "),
    "lazy lines under deep quotes": _after(">" * 40 + "a\n", "b\n"),
    "one long foreign host": _after("[a](http://", "éü"),
    "rising backticks": _rising,
    "lists in lists": _lists,
}  # fmt: skip
"""28 that Markdown finds hard."""

FOREIGN: dict[str, Callable[[int], str]] = {
    **{f"many tags {unit!r}": _many(unit) for unit in (
        "<", "<a href='", "<!--", "<div>", "<ul><li>", "<table>a<b>", "<b><p></b>", "<svg><g>", "<math><mi><p>",
        "&notin",
    )},
    "misnested": _halves("<b><i><code>", "<p></b>"),
    "all formatting, many paragraphs": _after("<p>" + "<b><i><code><s><em><strong>" * 3, "<p>x"),
}  # fmt: skip
"""12 that HTML finds hard; they come with imports, and are typed as Markdown too."""

LINES = (
    "a", " ", "\u0301", "a\u0301", "\u0958", "\u200d", "م\u200d", "%", "%25", "..", "/", "./", "a.", "@", "&a=", "?",
    "#", "é", "漢", "😀", "\u1e9b\u0323", "*", '"', "a* ", "-", "_", "\\", ":", "xn--a.", "0",
)  # fmt: skip
"""What one-line fields are filled with: names, addresses, titles, words to search for."""


Clock = Callable[[], float]


def processor_time(act: Callable[[], Any], enough: float = 0.0) -> float:
    """The least seconds of processor time that this thread took in five tries: other work does not count."""
    return least(act, (time.thread_time,), enough)[0]


def least(act: Callable[[], Any], clocks: Sequence[Clock], enough: float = 0.0, tries: int = 5) -> list[float]:
    """The least seconds in so many tries, by each of the clocks.

    Two tries will do when they take no more than is `enough`.
    """
    best = [float("inf")] * len(clocks)
    for attempt in range(tries):
        begun = [clock() for clock in clocks]
        act()
        best = [min(one, clock() - since) for one, clock, since in zip(best, clocks, begun, strict=True)]
        if attempt and max(best) <= enough:
            break
    return best


def work(act: Callable[[], Any]) -> int:
    """How many functions were called, those written in C too: the same on every machine, however busy."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls
