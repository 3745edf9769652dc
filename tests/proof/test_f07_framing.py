"""Which pages may put ours into a frame, by the word of a real Chromium: the desk none, a thread its site's own.

Like the tests of figure 2 these are left out of `make test`, and run by `make check`. The headers on which all of this
hangs are the same on both databases, as test_f07_headers finds; so one is enough for the browser.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.conftest import HOME
from tests.support import FULL

from .doors import DOORS
from .framing import framing
from .ledger import Proof
from .origins import ALLOWED
from .world import World, filled, sent

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EVIL, ZINE = "https://evil.example", "https://zine.example.org"
AROUND = [
    (ALLOWED,),
    (EVIL,),
    (EVIL, ALLOWED),
    (ALLOWED, EVIL),
    (ALLOWED, ALLOWED),
    (ZINE,),
    (HOME,),
    ("http://blog.example.org",),
    ("https://blog.example.org:8443",),
    ("https://www.blog.example.org",),
    ("https://blog.example.org.evil.example",),
    ("https://evilblog.example.org",),
    (ALLOWED, ZINE),
    (EVIL, HOME),
]
"""Origins, from the window inwards: the last one frames us."""

FEW = ("/desk/", "/desk/sign-in", "/embed/<site>")


def pages(world: World) -> dict[str, str]:
    """Path → rule, of everything that answers a browser with a page, and of a page that says what is wrong."""
    found = {"/embed/nowhere?page=/x": "a problem"} if FULL else {}
    for door in DOORS:
        if door.method == "GET" and (FULL or door.rule in FEW):
            path = filled(door.path, world.names(door, world.a))
            answer = sent(world.app.test_client(), path, headers={"Accept": "text/html"})
            if answer.mimetype == "text/html":  # or, at the desk, the way to one
                found[path] = door.rule
    return found


def may_show(rule: str, around: tuple[str, ...]) -> bool:
    return rule.startswith("/embed/") and set(around) == {ALLOWED}


@pytest.mark.figure("7", quick=6, full=120)
def test_ours_shows_only_where_it_may(world: World, chromium: Any, proof: Proof) -> None:
    ours = pages(world)
    with framing(chromium, world) as framer:
        for around in AROUND if FULL else AROUND[:2]:
            shown = framer.shown(around, list(ours))
            for path, rule in ours.items():
                wrong = (path in shown) != may_show(rule, around)
                proof.case(*[f"{rule} within {' within '.join(around[::-1])}: {path in shown}"] * wrong)


@pytest.mark.control("7")
def test_pages_that_let_themselves_be_framed_are_seen(world: World, chromium: Any) -> None:
    """Without the policy the thread shows anywhere; the desk still says so in the old way, and without that shows."""
    ours = {rule: path for path, rule in pages(world).items()}
    with framing(chromium, world) as framer:
        framer.without = {"Content-Security-Policy"}
        assert framer.shown((EVIL,), [ours["/desk/"], ours["/embed/<site>"]]) == [ours["/embed/<site>"]]
        framer.without = {"Content-Security-Policy", "X-Frame-Options"}
        assert framer.shown((EVIL,), [ours["/desk/"]]) == [ours["/desk/"]]
