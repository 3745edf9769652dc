"""One published answer in every form that somebody asked for, and which of them a request gets."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import brotli
import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from service.readcache.shared import Headers, Shared

IDENTITY = "identity"
WORTH_IT = 512
"""Bytes: what is shorter becomes hardly shorter, and fits into one packet anyway."""
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
"""By the names of RFC 9110; of two that a client likes alike, the first."""
_PREFERENCE = (*ENCODERS, IDENTITY)
_OF_THE_ORIGIN = b"access-control-"
_OF_THE_REQUEST = {b"x-request-id", b"date"}
_NOT_WITH_304 = {b"content-length", b"content-type", b"content-encoding"}


@dataclass(frozen=True)
class Ready:
    """An answer as it is sent."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Asked:
    """What of a request decides which answer it gets."""

    key: tuple[bytes, bytes]
    """Path and query, as they were sent."""
    is_head: bool
    coding: str
    origin: bytes | None
    seen: bytes | None
    """`If-None-Match`."""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Asked | None:
        """None for a request whose answer is nobody else's, or that wants no whole answer."""
        accept, origin, seen = b"", None, None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accept = value
            elif name == b"origin":
                origin = value
            elif name == b"if-none-match":
                seen = value if seen is None else seen + b"," + value
            elif name in _PERSONAL:
                return None
        key = scope["raw_path"], scope["query_string"]
        return cls(key, scope["method"] == "HEAD", coding_of(accept), origin, seen)


_PERSONAL = {
    b"authorization", b"cookie", b"range", b"if-match", b"if-modified-since", b"if-unmodified-since", b"expect",
    b"content-length", b"transfer-encoding",
}  # fmt: skip


@lru_cache(maxsize=512)
def coding_of(accept: bytes, offered: tuple[str, ...] = _PREFERENCE) -> str:
    """The coding that a client is sent, by its Accept-Encoding (RFC 9110, 12.5.3)."""
    accepted = parse_accept_header(accept.decode("latin-1"), Accept)
    liked = [(accepted.quality(one), one) for one in offered]
    quality, best = max(liked, key=lambda one: one[0])  # of several, the first
    return best if quality else IDENTITY  # a 406 would help nobody


@dataclass
class Entry:
    """An answer that is kept: its forms by coding, made when they are first asked for."""

    headers: Headers
    body: bytes
    etag: bytes
    shared: Shared
    forms: dict[str, tuple[Headers, bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, headers: Headers, body: bytes, shared: Shared) -> Entry:
        """Of an answer that has an ETag, without what was said to whoever asked."""
        kept = [
            (name, value)
            for name, value in ((name.lower(), value) for name, value in headers)
            if name not in _OF_THE_REQUEST and not name.startswith(_OF_THE_ORIGIN) and name != b"content-length"
        ]
        kept = [(name, value + b", Accept-Encoding" if name == b"vary" else value) for name, value in kept]
        return cls(kept, body, dict(kept)[b"etag"], shared)

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(body) for _, body in self.forms.values()) + _OVERHEAD

    def pack(self, coding: str) -> None:
        """Make the form of a coding. It takes a while: not on the event loop."""
        is_packed = coding != IDENTITY and len(self.body) >= WORTH_IT and not self.shared.hole
        body = ENCODERS[coding](self.body) if is_packed else self.body
        headers = [*self.headers, (b"content-length", str(len(body)).encode())]
        if body is not self.body:
            # Two forms are the same by weak comparison only (RFC 9110, 8.8.1).
            weak = {b"etag": b"W/" + self.etag.removeprefix(b"W/")}
            headers = [(name, weak.get(name, value)) for name, value in headers]
            headers.append((b"content-encoding", coding.encode()))
        self.forms[coding] = headers, body

    def answer(self, asked: Asked) -> Ready:
        """What somebody gets whose form is there."""
        headers, body = self.forms[asked.coding]
        if asked.origin is not None:
            told = self.shared.for_origin(asked.origin.decode("latin-1"))
            headers = headers + [(name.lower().encode(), value.encode()) for name, value in told.items()]
        if hole := self.shared.hole:
            body = body.replace(hole.made, hole.fresh())
        return _to(asked, 200, headers, body, self.etag)


_OVERHEAD = 2_000
"""Bytes that an answer takes beside its own."""


def bare(status: int, headers: Headers, body: bytes, asked: Asked) -> Ready:
    """An answer that is not kept, given to who asked."""
    headers = [(name.lower(), value) for name, value in headers]
    return _to(asked, status, headers, body, dict(headers).get(b"etag"))


def _to(asked: Asked, status: int, headers: Headers, body: bytes, etag: bytes | None) -> Ready:
    if status == 200 and etag and asked.seen is not None and has_seen(asked.seen, etag):
        return Ready(304, [one for one in headers if one[0] not in _NOT_WITH_304], b"")
    return Ready(status, headers, b"" if asked.is_head else body)


def has_seen(seen: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names an ETag, by weak comparison, or anything (`*`)."""
    tag = etag.removeprefix(b"W/")
    return any(one.strip().removeprefix(b"W/") in (tag, b"*") for one in seen.split(b","))
