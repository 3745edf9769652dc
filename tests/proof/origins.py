"""Origins that are almost the one that a site lists, ways to ask from them, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from werkzeug.test import TestResponse

from .doors import Door
from .world import SOME_ID, World, filled

ALLOWED = "https://blog.example.org"


def _raw(text: str) -> str:
    """Letters beyond ASCII as they come out of a header: its bytes, one by one."""
    return text.encode().decode("latin-1")


ORIGINS = (
    ALLOWED,
    "",  # no Origin at all
    "null",
    "NULL",
    "*",
    # Other sites, and ourselves.
    "https://zine.example.org",
    "https://evil.example",
    "http://127.0.0.1:8080",
    "https://example.org",
    "https://www.blog.example.org",
    "https://org",
    # The same host otherwise: scheme, port, case, a dot, more of a URL than an origin has.
    "http://blog.example.org",
    "wss://blog.example.org",
    "HTTPS://blog.example.org",
    "https://BLOG.example.org",
    "https://Blog.Example.Org",
    "https://blog.example.org.",
    "https://blog.example.org..",
    "https://blog.example.org:443",
    "https://blog.example.org:0443",
    "https://blog.example.org:8443",
    "https://blog.example.org:",
    "https://blog.example.org/",
    "https://blog.example.org/reviews",
    "https://blog.example.org?",
    "https://blog.example.org#",
    "//blog.example.org",
    "blog.example.org",
    "https:blog.example.org",
    r"https:\\blog.example.org",
    "javascript://blog.example.org",
    # Prefixes, suffixes, users.
    "https://blog.example.org.evil.example",
    "https://blog.example.organic",
    "https://blog.example.org-evil.example",
    "https://blog.example.org_.evil.example",
    "https://evilblog.example.org",
    "https://evil-blog.example.org",
    "https://blogXexample.org",
    "https://blog.example.org@evil.example",
    "https://evil.example@blog.example.org",
    "https://user:word@blog.example.org",
    r"https://blog.example.org\@evil.example",
    # Per cent, quotes, lists.
    "https://blog.example.org%60.evil.example",
    "https://blog.example.org`.evil.example",
    "https://blog.example.org%00.evil.example",
    "https://blog.example.org%2eevil.example",
    "https://blog%2eexample.org",
    "https://blog.example.org, https://evil.example",
    "https://evil.example https://blog.example.org",
    "https://*.example.org",
    # Letters that look like these.
    "https://xn--blg-0na.example.org",
    _raw("https://blög.example.org"),
    _raw("https://bl\N{CYRILLIC SMALL LETTER O}g.example.org"),
    _raw("https://\N{FULLWIDTH LATIN SMALL LETTER B}log.example.org"),
    _raw("https://blog\N{IDEOGRAPHIC FULL STOP}example\N{IDEOGRAPHIC FULL STOP}org"),
    # No names.
    "http://[::1]",
    "https://[::ffff:127.0.0.1]:443",
    "https://[2001:db8::1]",
    "file://",
    "data:",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
)
OF_ANOTHER_SITE = "https://zine.example.org"
KINDS = ("simple", "preflight", "missing", "wrong", "method")
NEEDED = ("simple", "preflight", "wrong")
"""Ways in which the site's own pages ask: there its origin must be named."""


@dataclass(frozen=True)
class Asked:
    """One request, in words for whoever reads a failure, and what came back."""

    name: str
    door: Door
    kind: str
    origin: str
    answer: TestResponse


def asked(world: World, ways: Iterable[tuple[Door, str, str]], **who: str) -> Iterator[Asked]:
    """Each door in a way from an origin."""
    for door, kind, origin in ways:
        headers = {"Origin": origin} | who if origin else who
        answer = ask(world, door, kind, **headers)
        yield Asked(f"{kind} {door.name} from {origin!r}", door, kind, origin, answer)


def ask(world: World, door: Door, kind: str, **headers: str) -> TestResponse:
    """The request of a door, its preflight, or one that is refused: about nothing that is there, broken, misused."""
    if kind == "preflight":
        headers["Access_Control_Request_Method"] = door.method
        door = replace(door, method="OPTIONS", json=None, form=None)
    elif kind == "missing":  # a site or a thing that is not there
        path = door.path.replace("{site}", "nowhere")
        door = replace(door, path=_with_ids(path, str(SOME_ID)) if path == door.path else path)
    elif kind == "wrong":
        door = replace(door, path=f"{door.path}{'&' if '?' in door.path else '?'}nothing=%00", json=None)
    elif kind == "method":
        door = replace(door, method="DELETE", json=None, form=None)
    return world.send(door, world.a, client=None, **headers)


def _with_ids(path: str, value: str) -> str:
    names = (
        "approved", "pending", "fresh", "page_id", "bulk", "decision", "kept", "rule", "new_rule", "published", "token",
        "member", "newcomer", "invite", "endpoint", "new_endpoint", "delivery",
    )  # fmt: skip
    ids = dict.fromkeys(names, value)
    return str(filled(path, ids | {"style": "/style/x/y"}))


def _asks_without_a_token(one: Asked) -> bool:
    """A preflight tells no token, so an author's door lets in the pages of any site; the answer itself does not."""
    return one.door.rule == "/v1/mine" and one.kind == "preflight" and one.origin == OF_ANOTHER_SITE


def wrong_origins(one: Asked) -> Iterator[str]:
    """An answer that lets somebody read it who may not, or somebody not who may."""
    headers = one.answer.headers
    named = headers.get("Access-Control-Allow-Origin")
    may = one.door.is_public and (one.origin == ALLOWED or _asks_without_a_token(one))
    if one.door.is_file:
        if named not in (("*",) if one.answer.status_code == 200 and one.kind != "preflight" else ("*", None)):
            yield f"{one.name}: {named}"
        return
    if named not in ((one.origin,) if may and one.kind in NEEDED else (None, one.origin) if may else (None,)):
        yield f"{one.name}: {named}"
    told = {name.lower() for name, _ in headers}
    if "access-control-allow-credentials" in told:
        yield f"{one.name}: credentials"
    if not may and any(name.startswith("access-control-") for name in told):
        yield f"{one.name}: says something about it"
    if one.door.is_public and "origin" not in {name.lower() for name in one.answer.vary}:
        yield f"{one.name} ({one.answer.status_code}): Vary lacks Origin"
