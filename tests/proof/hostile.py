"""Bad input: lists of others, read in place, and our own; and every place of a request where it can stand."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .doors import DOORS, FORM, Door
from .fields import FORMS, OTHER_FORMS, PAGES

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
    "\ud800", "a\udfffb", "18446744073709551616", "-9223372036854775809", "a" * 9_000, "\u0301" * 10_000,
]  # fmt: skip
"""What made a plain stack of ours answer 500, or take what nobody should take (§7b of the security study)."""

OWN_BODIES = [
    b"", b" ", b"{", b"[" * 20_000, b'{"a":' * 20_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"[" * 20_000 + b"]" * 20_000, b'{"page": "\\ud800"}', b'{"\\udfff": 1}', b'{"page": "\\u0000"}',
    b'{"count": 18446744073709551616}', b'{"count": ' + b"9" * 5_000 + b"}", b'{"count": -1e400}', b'{"rating": NaN}',
    b'{"rating": Infinity}', b'{"rating": -Infinity}', b'{"a": 1, "a": 2}', b'\xef\xbb\xbf{"page": "/x"}',
    '{"page": "/x"}'.encode("utf-16"), '{"page": "/x"}'.encode("utf-32"), b'{"page": "\xff\xfe"}',
    b'{"page": "\xed\xa0\x80"}', b"null", b"1", b'"text"', b"[]", b"[{}]", b"true", b'{"page": {"a": [1]}}',
    b'{"page": ["/x"]}', b'{"page": 1, "name": 2, "email": 3, "body": 4}', b"x" * 300_000,
    b'{"' + b"a" * 60_000 + b'": 1}', b'{"id": "1", "status": "approved", "site_id": 1, "is_moderator": true}',
]  # fmt: skip

NO_JSON = [b"NaN", b"[NaN]", b"[Infinity]", b"[-Infinity]", b'{"rating": NaN}', b'{"rating": -Infinity}']
"""What Python's parser takes, and JSON is not."""

HEADERS = (
    "Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "Authorization", "Accept", "Accept-Language",
    "Content-Type", "Origin", "Referer", "Cookie", "Range", "Host", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-HTTP-Method-Override", "HX-Request", "User-Agent",
)  # fmt: skip


@dataclass(frozen=True)
class Bad:
    """One request that may be refused, and must not break anything: what is odd about it, and the door."""

    name: str
    door: Door
    raw: bytes | None = None
    kind: str = ""
    """What a raw body is called; without it, what the door takes."""
    length: str | None = None
    """What is claimed of its length, where that is not the truth."""
    text: str = ""
    field: str = ""
    """The field of the body that holds the text, where there is one."""

    @property
    def shown(self) -> str:
        return f"{self.name} {(self.raw or self.text.encode('utf-8', 'replace'))[:60]!r}"


@dataclass(frozen=True)
class Spot:
    """A place in the request of a door where a text can stand."""

    door: Door
    kind: str
    """`json`, `form`, `query`, `path` or `header`."""
    name: str

    def holding(self, text: str) -> Bad:
        """The door's request with this text there."""
        made = getattr(self, f"_in_{self.kind}")(text)
        field = self.name if self.kind in ("json", "form") else ""
        return Bad(f"{self.door.name} {self.kind} {self.name}", made, text=text, field=field)

    def _in_json(self, text: str) -> Door:
        return replace(self.door, json=_put(self.door.json, self.name.split("."), braced(text)))

    def _in_form(self, text: str) -> Door:
        written = braced(text.encode("utf-8", "replace").decode())
        return replace(self.door, form={**(self.door.form or {}), self.name: written})

    def _in_query(self, text: str) -> Door:
        path, _, query = self.door.path.partition("?")
        kept = [one for one in query.split("&") if one and not one.startswith(f"{self.name}=")]
        return replace(self.door, path=f"{path}?{'&'.join([*kept, f'{self.name}={_quoted(text)}'])}")

    def _in_path(self, text: str) -> Door:
        path, mark, query = self.door.path.partition("?")
        pieces = path.split("/")
        pieces[int(self.name)] = _quoted(text[:500])
        return replace(self.door, path="/".join(pieces) + mark + query)

    def _in_header(self, text: str) -> Door:
        one_line = "".join(one for one in text[:2_000] if one not in "\r\n\0")
        value = one_line.encode("utf-8", "replace").decode("latin-1")
        return replace(self.door, headers={**self.door.headers, self.name: braced(value)})


def spots(document: Mapping[str, Any]) -> Iterator[Spot]:
    """Every place of every door: the fields of the API are those of its document."""
    for door in DOORS:
        described = document["paths"].get(_described(door.rule), {}).get(door.method.lower(), {})
        yield from (Spot(door, "json", name) for name in _leaves(described, document, door))
        if door.form is not None:
            yield from (Spot(door, "form", name) for name in sorted(FORMS[door.name]))
        for form in OTHER_FORMS.get(door.name, ()):
            yield from (Spot(replace(door, form=form), "form", name) for name in form if name != "deed")
        asked = [one["name"] for one in described.get("parameters", []) if one["in"] == "query"]
        yield from (Spot(door, "query", name) for name in [*asked, *sorted(PAGES.get(door.name, ())), "unheard-of"])
        for number, piece in enumerate(door.rule.split("/")):
            if piece.startswith("<"):
                spelt = door.path if door.path.startswith("/") else door.rule.replace("<", "").replace(">", "")
                yield Spot(replace(door, path=spelt), "path", str(number))
        yield from (Spot(door, "header", name) for name in HEADERS)


def _described(rule: str) -> str:
    return rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}")


def _leaves(described: Mapping[str, Any], document: Mapping[str, Any], door: Door) -> list[str]:
    """The fields of a JSON body, dots between the names; more than the document's where the door's request has more."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    told = _of_shape(content["schema"], document, ()) if content else []
    return sorted({".".join(path) for path in [*told, *_of_body(door.json or {}, ())]})


def _of_shape(
    shape: Mapping[str, Any], document: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    while "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    if "properties" in shape:
        for name, inner in shape["properties"].items():
            yield from _of_shape(inner, document, (*path, name))
    elif "items" in shape:
        yield from _of_shape(shape["items"], document, (*path, "0"))
    elif path:
        yield path


def _of_body(body: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    inner: Any = body.items() if isinstance(body, dict) else enumerate(body)
    for name, value in inner:
        if isinstance(value, dict | list) and value:
            yield from _of_body(value, (*path, str(name)))
        else:
            yield (*path, str(name))


def _put(body: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of a body with something else at one leaf, made where there is none."""
    if not path:
        return value
    if path[0].isdigit():
        kept = list(body) if isinstance(body, list) else []
        return [_put(kept[0] if kept else None, path[1:], value), *kept[1:]]
    kept_too = body if isinstance(body, dict) else {}
    return kept_too | {path[0]: _put(kept_too.get(path[0]), path[1:], value)}


def _quoted(text: str) -> str:
    return braced(quote(text.encode("utf-8", "surrogatepass"), safe=""))


def braced(text: str) -> str:
    """A text that stands for itself in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def texts(shared: Path) -> list[str]:
    """Every hostile text that there is, but the Big List."""
    found = [text for name in LISTS[1:] for text in json.loads((shared / f"corpora/{name}.json").read_text())]
    return [*found, *methods(shared), *OWN_TEXTS]


def big_list(shared: Path) -> list[str]:
    """The Big List of Naughty Strings."""
    found: list[str] = json.loads((shared / f"corpora/{LISTS[0]}.json").read_text())
    return found


def methods(shared: Path) -> list[str]:
    found: list[str] = json.loads((shared / "corpora/fuzzdb/http_methods.json").read_text())
    return found


def bodies(shared: Path) -> list[bytes]:
    """Every hostile body: raw bytes that are called JSON."""
    fuzz = json.loads((shared / "corpora/fuzzdb/json_fuzz.json").read_text())
    return [*(raw for _, raw in suite(shared)), *(one.encode() for one in fuzz), *OWN_BODIES, *NO_JSON]


def suite(shared: Path) -> list[tuple[str, bytes]]:
    """JSONTestSuite: names and bytes. `n_` is no JSON, `y_` is, and of `i_` each parser may think what it likes."""
    found = json.loads((shared / "corpora/jsontestsuite/cases.json").read_text())
    return [(one["name"], base64.b64decode(one["b64"])) for one in found]


def matrix(document: Mapping[str, Any], shared: Path, *, full: bool) -> list[Bad]:
    """Texts at spots. Full: the Big List in every field of every body, each other text at some spots of each kind,
    every spot some texts. Else a sample that has every door, and always the same one."""
    pick, every, naughty, others = random.Random(20), list(spots(document)), big_list(shared), texts(shared)
    found = [spot.holding(pick.choice(OWN_TEXTS)) for spot in every if full]
    found += [spot.holding(pick.choice(naughty)) for spot in every if full or spot.kind in ("json", "form")]
    by_kind = {kind: [one for one in every if one.kind == kind] for kind in ("json", "form", "query", "path", "header")}
    if not full:
        firsts = {one.door.name: one for one in pick.sample(by_kind["query"], len(by_kind["query"]))}
        found += [spot.holding(pick.choice(others)) for spot in firsts.values()]
        found += [pick.choice(here).holding(pick.choice(others)) for here in by_kind.values() for _ in range(20)]
        return found
    found += [spot.holding(text) for spot in (*by_kind["json"], *by_kind["form"]) for text in naughty]
    found += [pick.choice(here).holding(text) for here in by_kind.values() for text in others]
    return found


def raw_bodies(shared: Path) -> Iterator[Bad]:
    """Every hostile body at every door that takes one: JSON at those for JSON, and at forms some of it."""
    for door in (one for one in DOORS if one.changes):
        chosen = bodies(shared) if door.json is not None else OWN_BODIES
        yield from (Bad(f"{door.name} raw", door, raw, content_type(door)) for raw in chosen)


def content_type(door: Door) -> str:
    return FORM if door.form is not None else "application/json"
