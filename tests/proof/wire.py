"""Bytes on a socket: requests that no client library would send, and what comes back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .doors import Door
from .hostile import content_type, methods, texts
from .judging import misshapen
from .world import World, filled

BARE = {400, 408, 413, 414, 431}
"""What the parser of the server may answer without a problem document: there is no request yet."""

_PATIENCE = 20.0


@dataclass(frozen=True)
class Odd:
    """A request as bytes. `cut`: it is incomplete, and the client hangs up. `wanted`: the only right answers."""

    name: str
    data: bytes
    cut: bool = False
    wanted: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Told:
    """An answer; status 0 when the connection ended without one. `more` is what came after it."""

    status: int
    kind: str = ""
    body: bytes = b""
    more: bytes = b""


@dataclass(frozen=True)
class Request:
    """The right request of a door, in pieces that can be put together wrongly."""

    door: Door
    target: bytes
    headers: Mapping[bytes, bytes]
    body: bytes

    @classmethod
    def of(cls, door: Door, world: World) -> Request:
        names = world.names(door, world.a)
        headers = {
            "Host": "127.0.0.1",
            "Accept": door.accept,
            "Connection": "close",
            **filled(dict(door.headers), names),
        }
        if door.is_guarded:
            headers["Authorization"] = f"Bearer {world.admin}"
        body = b""
        if door.changes:
            headers["Content-Type"] = content_type(door)
            told = filled(door.json, names) if door.json is not None else dict(filled(dict(door.form or {}), names))
            body = (json.dumps(told) if door.json is not None else urlencode(told)).encode()
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        return cls(door, filled(door.path, names).encode(), encoded, body)

    def head(self, *more: bytes, start: bytes | None = None, without: bytes = b"") -> bytes:
        """The head, with more lines; with another first line, or without a header."""
        first = start if start is not None else b"%b %b HTTP/1.1" % (self.door.method.encode(), self.target)
        lines = [b"%b: %b" % one for one in self.headers.items() if one[0] != without]
        return b"\r\n".join([first, *lines, *more, b"", b""])

    def whole(self, *more: bytes, start: bytes | None = None, without: bytes = b"") -> bytes:
        """The request with its body, and the right length of it."""
        length = [b"Content-Length: %d" % len(self.body)] if self.body else []
        return self.head(*length, *more, start=start, without=without) + self.body

    def at(self, target: bytes) -> bytes:
        return self.whole(start=b"%b %b HTTP/1.1" % (self.door.method.encode(), target))


REFUSED = frozenset({400})
LENGTHS = (b"-1", b"-5", b"abc", b"+5", b"5 5", b"5, 5", b"1e3", b"0x10", b"99999999999999999999999", b"\xb2", b"1_0")
CODINGS = (b"gzip", b"chunked, gzip", b"xchunked", b"\x0bchunked", b"chunked, identity", b"chunked;q=1")
CHUNKS = (
    b"-1\r\n\r\n",
    b"zz\r\nab\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\n",
    b"5\r\nab\r\n0\r\n\r\n",
    b"0x2\r\nab\r\n0\r\n\r\n",
)
LINES = (
    b"No-Colon", b"Spaced : x", b": nameless", b"X-Nul: a\0b", b"X-Return: a\rb", b" folded: x", b"X-\xff: 1",
    b"X: " + b"a" * 9_000, b"X: " + b"a" * 60_000, b"\r\n".join(b"X-%d: y" % number for number in range(10_000)),
    b"Expect: 200-maybe", b"Connection: Upgrade\r\nUpgrade: h2c", b"TE: trailers, nonsense", b"Host: second.example",
    b"Accept-Encoding: " + b"gzip;q=0.1, " * 500, b"Range: bytes=0-,1-,2-,3-", b"Range: bytes=99999999999999999999-",
    b"Cookie: " + b"a=b; " * 1_500, b"Cookie: greenroom=\xff\xfe", b"If-None-Match: " + b'"a", ' * 1_500,
    b"If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT", b"Accept: " + b"text/html;q=\xff", b"Accept: */*;q=nan",
    b"Authorization: Bearer \xff", b"Authorization: Digest realm=", b"Idempotency-Key: \xff\xfe", b"If-Match: \xff",
    b"Origin: http://[", b"Referer: \xff", b"X-Forwarded-For: \xff, ::::, 1.2.3.4.5", b"Content-Type: \xff/\xff",
    b"X-Forwarded-Proto: gopher", b"Forwarded: for=\xff;proto=", b"Accept-Language: " + b"a-" * 2_000,
)  # fmt: skip
HOSTS = (b"", b"a b", b"[::1", b"a@b", b"\xff", b"a:99999999", b"a:-1", b"x" * 300, b"a/../b", b"<script>", b"a\tb")
QUERIES = (
    b"%", b"%zz", b"%f", b"%ff%fe", b"%00", b"\xff\xfe", b"a=%c0%af", b"=&=&&", b"page=%ed%a0%80", b"a" * 9_000,
    b"page=" + b"%41" * 3_000, b"&".join(b"a%d=b" % number for number in range(1_500)), b"a" * 60_000, b"#a", b"'\"<>",
)  # fmt: skip
TARGETS = (
    b"/%", b"/%zz", b"/%ff", b"/%00", b"/\xff\xfe", b"//evil.example/", b"/../../etc/passwd", b"/%2e%2e/%2e%2e/", b"*",
    b"http://evil.example/healthz", b"http://[/", b"/desk/%ff", b"/v1/sites/%c0%ae/thread?page=/x", b"/a b", b"/\\",
    b"/" + b"a" * 9_000, b"/" + b"a/" * 4_000, b"/" + b"a" * 60_000, b"evil.example:443", b"/embed/\xed\xa0\x80", b"",
)  # fmt: skip
STARTS = (
    b"GET /healthz", b"GET  /healthz  HTTP/1.1", b"GET /healthz HTTP/0.9", b"GET /healthz HTTP/2.0", b"GET / HTTP/9.9",
    b"GET /healthz HTTP/1.1 more", b"PRI * HTTP/2.0", b"get /healthz HTTP/1.1", b"G\0T / HTTP/1.1", b"/ GET HTTP/1.1",
    b"GET /healthz http/1.1", b"GET\t/healthz\tHTTP/1.1", b"A" * 9_000 + b" / HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
)  # fmt: skip
NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, b"EHLO mail.example\r\n", b"\0" * 1_000,
    b"\r\n" * 50,
    b"\xff" * 1_000, b"GET", b"GET / HTTP/1.1\r\n", b"{}\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"A" * 70_000,
)  # fmt: skip


def odd(request: Request, shared: Path) -> Iterator[Odd]:
    """All that can be odd about a request of this door, where parser, front and app could differ about it."""
    name, body = request.door.name, request.body
    for value in LENGTHS:
        yield Odd(f"{name} length {value!r}", request.head(b"Content-Length: " + value) + body, wanted=REFUSED)
    lengths = b"Content-Length: %d" % len(body)
    yield Odd(f"{name} two lengths", request.head(lengths, lengths + b"0") + body, wanted=REFUSED)
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    both = request.head(b"Content-Length: %d" % len(smuggled), b"Transfer-Encoding: chunked")
    yield Odd(f"{name} length and chunks", both + smuggled, wanted=REFUSED)
    for coding in CODINGS:
        data = request.head(b"Transfer-Encoding: " + coding) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        yield Odd(f"{name} coding {coding!r}", data, wanted=REFUSED)
    for chunk in CHUNKS:
        yield Odd(f"{name} chunk {chunk!r}", request.head(b"Transfer-Encoding: chunked") + chunk, cut=True)
    yield Odd(f"{name} cut", request.head(b"Content-Length: %d" % (len(body) + 9)) + body, cut=True)
    yield Odd(f"{name} half a head", request.head()[:-9], cut=True)
    for line in LINES:
        yield Odd(f"{name} with {line[:40]!r}", request.whole(line))
    for host in HOSTS:
        yield Odd(f"{name} host {host[:40]!r}", request.whole(b"Host: " + host, without=b"Host"))
    yield Odd(f"{name} without host", request.whole(without=b"Host"))
    mark = b"&" if b"?" in request.target else b"?"
    for query in QUERIES:
        yield Odd(f"{name} query {query[:40]!r}", request.at(request.target + mark + query))
    for target in TARGETS:
        yield Odd(f"{request.door.method} {target[:40]!r}", request.at(target))
    for start in STARTS:
        yield Odd(f"{start[:40]!r}", request.whole(start=start))
    for method in methods(shared):
        start = b"%b %b HTTP/1.1" % (method.encode(), request.target)
        yield Odd(f"{method} {request.door.rule}", request.whole(start=start))


def large(request: Request) -> Iterator[Odd]:
    """Bodies that are right in form and too much: beyond every door's size, in many chunks, of many parts."""
    part = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
    kinds = [
        (b"multipart/form-data; boundary=x", part * 100_000 + b"--x--"),
        (b"multipart/form-data; boundary=x", part * 900),
        (b"application/x-www-form-urlencoded", b"a=b&" * 10_000), (b"application/json", b" " * 300_000),
        (b"application/json", b"[" * 20_000), (b"application/json", b"[" * 1_900_000),
    ]  # fmt: skip
    for kind, body in kinds:
        head = (b"Content-Type: " + kind, b"Content-Length: %d" % len(body))
        yield Odd(f"{request.door.name} large {kind!r}", request.head(*head, without=b"Content-Type") + body)
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in _cut(body, 60_000))
        data = request.head(b"Content-Type: " + kind, b"Transfer-Encoding: chunked", without=b"Content-Type")
        yield Odd(f"{request.door.name} chunks of {kind!r}", data + chunks + b"0\r\n\r\n")


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    yield from (body[start : start + size] for start in range(0, len(body), size))


def no_http(shared: Path) -> Iterator[Odd]:
    """What is no request at all, and hostile texts in the place of one."""
    yield from (Odd(f"no HTTP {data[:40]!r}", data, cut=True) for data in NO_HTTP)
    for text in texts(shared):
        raw = text.encode("utf-8", "surrogatepass")[:20_000]
        yield Odd(f"target {raw[:40]!r}", b"GET /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % raw, cut=True)
        yield Odd(
            f"header {raw[:40]!r}", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: %b\r\n\r\n" % raw, cut=True
        )


def chunked(request: Request) -> bytes:
    """The right request, its body in chunks of seven bytes and of no length."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in _cut(request.body, 7))
    return request.head(b"Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"


def told(port: int, one: Odd) -> Told:
    """Send it on a connection of its own, and take all that comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as client:
        try:
            client.sendall(one.data)
            if one.cut:
                client.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before it was all sent: the answer may be there all the same
        return _answer(client, one.data.split(b" ", 1)[0].decode("latin-1"))


def _answer(client: socket.socket, method: str) -> Told:
    response = HTTPResponse(client, method=method)
    try:
        response.begin()
        body = response.read()
        more = b"" if response.will_close else _rest(client)
        return Told(response.status, response.headers.get_content_type(), body, more)
    except (ConnectionError, HTTPException):
        return Told(0)
    finally:
        response.close()


def _rest(client: socket.socket) -> bytes:
    """What comes when we say that we have no more."""
    try:
        client.shutdown(socket.SHUT_WR)
        return client.recv(65_536)
    except OSError:
        return b""


def faults(one: Odd, answer: Told) -> Iterator[str]:
    """What is wrong with the answer to an odd request."""
    if answer.status >= 500:
        yield str(answer.status)
    if not answer.status and not one.cut:
        yield "no answer"
    if one.wanted and answer.status not in one.wanted:
        yield f"{answer.status}, not {sorted(one.wanted)}"
    if answer.more:
        yield f"more than one answer: {answer.more[:60]!r}"
    if answer.status >= 400:
        yield from _bare(one, answer)


def _bare(one: Odd, answer: Told) -> Iterator[str]:
    if answer.kind == "application/problem+json":
        if answer.body:
            yield from misshapen(answer.status, answer.body)
    elif answer.kind == "text/html":
        if b"Accept: text/html" not in one.data and b"text/html;q" not in one.data:
            yield f"{answer.status} is a page, and nobody asked for one"
    elif answer.status not in BARE or len(answer.body) > 100:
        yield f"{answer.status} is {answer.kind} {answer.body[:60]!r}"


def ticks(pid: int) -> int:
    """The processor time that a process has used, in hundredths of a second."""
    fields: list[Any] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
