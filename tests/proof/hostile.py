"""Bad input: lists of others, read in place, and our own; and every place of a request where it can stand."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .doors import DOORS, FORM, Door

LISTS = (
    "blns/strings", "fuzzdb/control_chars", "fuzzdb/crlf", "fuzzdb/format_strings", "fuzzdb/integers",
    "fuzzdb/unicode", "fuzzdb/email_invalid", "fuzzdb/email_valid", "payloadsallthethings/sqli_generic",
    "payloadsallthethings/crlf", "payloadsallthethings/open_redirect",
)  # fmt: skip

OWN_TEXTS = [
    "", " ", "\0", "a\0b", "\ufeff", "\u200b", "\u202eright to left", "a" + "\u0300" * 79, "\uffff", "\U0010ffff",
    "%", "_", "%%%_%_\\", "*", '"', "NEAR(a b)", "a AND", "-" * 300, "9" * 5_000, "-1", "0", "1_000", "٣", "1e400",
    "NaN", "Infinity", "null", "true", "[]", "{}", "../../etc/passwd", "a" * 70_000, "x'; DROP TABLE comments; --",
    "018f0000-0000-7000-8000-00000000000g", "0" * 32, "{018f0000-0000-7000-8000-000000000000}", "é", "e\u0301",
    "\r\nSet-Cookie: a=b", "http://x.co/'onmouseover='alert(1)", '"<script>"@b.co', "http://u:p@127.0.0.1:99999/",
]  # fmt: skip
"""What made a plain stack of ours answer 500, or take what nobody should take (§7b of the security study)."""

OWN_BODIES = [
    b"", b" ", b"{", b"[" * 20_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"page": "\\ud800"}', b'{"\\udfff": 1}',
    b'{"page": "\\u0000"}', b'{"count": 18446744073709551616}', b'{"count": ' + b"9" * 5_000 + b"}",
    b'{"count": -1e400}', b'{"rating": NaN}', b'{"rating": Infinity}', b'{"rating": -Infinity}', b'{"a": 1, "a": 2}',
    b'\xef\xbb\xbf{"page": "/x"}', '{"page": "/x"}'.encode("utf-16"), '{"page": "/x"}'.encode("utf-32"),
    b'{"page": "\xff\xfe"}', b'{"page": "\xed\xa0\x80"}', b"null", b"1", b'"text"', b"[]", b"[{}]", b"true",
    b'{"page": {"a": [1]}}', b'{"page": ["/x"]}', b'{"page": 1, "name": 2, "email": 3, "body": 4}', b"x" * 300_000,
    b'{"' + b"a" * 60_000 + b'": 1}', b'{"id": "1", "status": "approved", "site_id": 1, "is_moderator": true}',
]  # fmt: skip

PLACES_IN_QUERIES = {
    "/thread": ("page", "sort", "limit", "cursor"), "/counts": ("page",), "/latest": ("limit", "cursor"),
    "/feed.atom": ("page",), "/comments/<uuid:comment_id>": ("limit", "cursor"),
    "/embed/<site>": ("page", "page_title", "reply", "redirect_to", "lang", "sort", "cursor", "comment", "fragment"),
    "/form": ("page", "page_title", "reply", "redirect_to", "lang"), "/v1/pages": ("site", "limit", "cursor"),
    "/v1/audit": ("site", "subject", "action", "limit", "cursor"), "/v1/events": ("after", "limit", "site", "types"),
    "/v1/moderation/comments": ("status", "site", "page", "q", "reason", "sort", "limit", "cursor"),
    "/desk/": ("status", "site", "page", "q", "reason", "sort", "limit", "cursor", "done"), "/desk/sign-in": ("next",),
}  # fmt: skip
HEADERS = ("Idempotency-Key", "If-Match", "If-None-Match", "Authorization", "Accept", "Origin", "Cookie", "Range")


@dataclass(frozen=True)
class Bad:
    """One request that may be refused, and must not break anything: what is odd about it, and the door."""

    name: str
    door: Door
    raw: bytes | None = None
    text: str = ""
    field: str = ""
    """The field that holds the text, where it is one that can be read back."""


def texts(shared: Path) -> list[str]:
    """Every hostile text that there is."""
    found = [text for name in LISTS for text in json.loads((shared / f"corpora/{name}.json").read_text())]
    return [*found, *OWN_TEXTS]


def bodies(shared: Path) -> list[bytes]:
    """Every hostile body: raw bytes that are called JSON."""
    suite = json.loads((shared / "corpora/jsontestsuite/cases.json").read_text())
    fuzz = json.loads((shared / "corpora/fuzzdb/json_fuzz.json").read_text())
    return [*(base64.b64decode(one["b64"]) for one in suite), *(one.encode() for one in fuzz), *OWN_BODIES]


def not_json(shared: Path) -> list[bytes]:
    """What JSONTestSuite says no parser may take."""
    suite = json.loads((shared / "corpora/jsontestsuite/cases.json").read_text())
    return [base64.b64decode(one["b64"]) for one in suite if one["name"].startswith("n_")]


def _fields(template: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all leaves of a body."""
    inner = template.items() if isinstance(template, dict) else enumerate(template)
    for name, value in inner:
        if isinstance(value, dict | list) and value:
            yield from _fields(value, (*path, name))
        else:
            yield (*path, name)


def _put(template: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a body with something else at one leaf."""
    copied = dict(template) if isinstance(template, dict) else list(template)
    copied[path[0]] = _put(copied[path[0]], path[1:], value) if len(path) > 1 else value
    return copied


def braced(text: str) -> str:
    """A text that stands for itself in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def with_text(door: Door, text: str, pick: random.Random) -> Iterator[Bad]:
    """One text at one place of each kind that a door has: a field, a parameter, its path, a header."""
    safe = braced(text)
    if door.json is not None:
        path = pick.choice(list(_fields(door.json)))
        name = ".".join(map(str, path))
        yield Bad(f"{door.name} {name}", replace(door, json=_put(door.json, path, safe)), None, text, name)
        known = [*door.json, "website", "page_title", "parent_id", "rating", "notify", "form_token", "reason", "note"]
        extra = pick.choice(known)
        yield Bad(f"{door.name} +{extra}", replace(door, json=door.json | {extra: safe}), None, text, extra)
    if door.form is not None:
        names = [
            *door.form,
            "page_url",
            "website",
            "rating",
            "redirect_to",
            "comment_parent",
            "back",
            "at",
            "csrf_token",
        ]
        name = pick.choice(names)
        form = dict(door.form) | {name: safe}
        yield Bad(f"{door.name} {name}", replace(door, form=form))
    ends = [names for end, names in PLACES_IN_QUERIES.items() if door.rule.endswith(end) and not door.changes]
    if ends:
        name = pick.choice(ends[0])
        path = door.path.partition("?")[0]
        written = braced(quote(text.encode("utf-8", "surrogatepass"), safe=""))
        page = "&page={page}" if "page" in ends[0] and name != "page" and "/v1/moderation" not in path else ""
        yield Bad(f"{door.name} ?{name}", replace(door, path=f"{path}?{name}={written}{page}"))
    if "{" in door.path:
        piece = braced(quote(text.encode("utf-8", "surrogatepass")[:500], safe=""))
        start, _, end = door.path.partition("}")
        yield Bad(f"{door.name} path", replace(door, path=start.rpartition("{")[0] + piece + end))
    header = pick.choice(HEADERS)
    value = "".join(one for one in text[:2_000] if one not in "\r\n\0").encode("utf-8", "replace").decode("latin-1")
    if header != "Authorization" or not door.is_guarded:
        yield Bad(f"{door.name} {header}", replace(door, headers={**door.headers, header: value}))


def cases(shared: Path, number: int, seed: int) -> list[Bad]:
    """So many requests: texts at all kinds of places, raw bodies at all doors that take one. Always the same ones."""
    pick = random.Random(seed)
    found: list[Bad] = []
    asked, written, raw = [one for one in DOORS if "{" in one.path or one.changes], texts(shared), bodies(shared)
    while len(found) < number * 3 // 4:
        for door in asked:
            found += with_text(door, pick.choice(written), pick)
    with_body = [one for one in DOORS if one.changes]
    while len(found) < number:
        for door in with_body:
            found.append(Bad(f"{door.name} raw", door, pick.choice(raw)))
    return found[:number]


def content_type(door: Door) -> str:
    return FORM if door.form is not None else "application/json"
