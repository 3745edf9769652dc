"""Which form of an answer a request gets, and what is kept of one."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import pytest
import zstandard

from service.readcache import Asked, Entry, Shared, bare
from service.readcache.answers import coding_of, has_seen

BODY = b'{"comments":[]}' * 100
UNPACK = {
    "zstd": lambda data: zstandard.ZstdDecompressor().decompress(data),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "identity": bytes,
}


def scope(method: str = "GET", **headers: str) -> dict[str, Any]:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"method": method, "raw_path": b"/v1/sites/blog/thread", "query_string": b"page=/a", "headers": told}


def asked(method: str = "GET", **headers: str) -> Asked:
    found = Asked.of(scope(method, **headers))
    assert found
    return found


def entry(body: bytes = BODY) -> Entry:
    headers = [
        (b"Content-Type", b"application/json"), (b"ETag", b'"a"'), (b"Vary", b"Origin"),
        (b"X-Request-Id", b"1"), (b"Content-Length", b"9"), (b"Access-Control-Allow-Origin", b"https://a.example"),
    ]  # fmt: skip
    shared = Shared(frozenset({"page-1"}), lambda one: {"Access-Control-Allow-Origin": one} if "blog" in one else {})
    return Entry.of(headers, body, shared)


def answer(one: Asked, body: bytes = BODY) -> tuple[int, dict[bytes, bytes], bytes]:
    made = entry(body)
    made.pack(one.coding)
    ready = made.answer(one)
    assert len(ready.headers) == len(dict(ready.headers)), "a header stands twice"
    return ready.status, dict(ready.headers), ready.body


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("gzip;q=0", "identity"),
        ("*", "zstd"),
        ("identity, *;q=0", "identity"),
        ("zstd;q=0, *", "br"),
        ("deflate", "identity"),
        ("gzip;q=odd", "identity"),
        ("\xff;;,", "identity"),
    ],
)
def test_the_coding_is_one_that_the_client_likes(accept: str, coding: str) -> None:
    assert coding_of(accept.encode("latin-1")) == coding


@pytest.mark.parametrize("coding", UNPACK)
def test_every_form_holds_the_same(coding: str) -> None:
    status, headers, body = answer(asked(accept_encoding=coding))
    assert (status, UNPACK[coding](body)) == (200, BODY)
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"vary"] == b"Origin, Accept-Encoding"
    is_packed = coding != "identity"
    assert headers.get(b"content-encoding") == (coding.encode() if is_packed else None)
    assert headers[b"etag"] == (b'W/"a"' if is_packed else b'"a"')
    assert len(body) < len(BODY) / 5 or not is_packed


def test_what_is_short_is_sent_as_it_is() -> None:
    _, headers, body = answer(asked(accept_encoding="gzip"), b"{}")
    assert body == b"{}" and b"content-encoding" not in headers and headers[b"etag"] == b'"a"'


def test_nothing_said_to_one_client_is_kept_for_another() -> None:
    _, headers, _ = answer(asked())
    assert headers.keys() == {b"content-type", b"etag", b"vary", b"content-length"}


def test_an_origin_is_told_what_is_for_it() -> None:
    _, headers, _ = answer(asked(origin="https://blog.example"))
    assert headers[b"access-control-allow-origin"] == b"https://blog.example"
    assert b"access-control-allow-origin" not in answer(asked(origin="https://evil.example"))[1]


def test_a_head_has_the_length_and_no_body() -> None:
    status, headers, body = answer(asked("HEAD"))
    assert (status, body, headers[b"content-length"]) == (200, b"", str(len(BODY)).encode())


@pytest.mark.parametrize("seen", ['"a"', 'W/"a"', '"b", "a"', "*", '"b",W/"a"'])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_who_has_it_is_told_so(seen: str, coding: str) -> None:
    one = asked(if_none_match=seen, accept_encoding=coding, origin="https://blog.example")
    status, headers, body = answer(one)
    assert (status, body) == (304, b"")
    assert headers.keys() == {b"etag", b"vary", b"access-control-allow-origin"}


@pytest.mark.parametrize("seen", ['"b"', "a", "", '"a', 'w/"a"'])
def test_who_has_another_gets_it(seen: str) -> None:
    assert not has_seen(seen.encode(), b'"a"')


@pytest.mark.parametrize(
    "name", ["authorization", "cookie", "range", "if_match", "if_modified_since", "content_length", "transfer_encoding"]
)
def test_what_is_somebodys_own_passes_by(name: str) -> None:
    assert Asked.of(scope(**{name: "1"})) is None


def test_two_lines_of_if_none_match_are_one_list() -> None:
    one = scope()
    one["headers"] = [(b"if-none-match", b'"b"'), (b"if-none-match", b'"a"')]
    found = Asked.of(one)
    assert found and has_seen(found.seen or b"", b'"a"')


def test_what_is_not_kept_is_conditional_all_the_same() -> None:
    headers = [(b"ETag", b'"a"'), (b"Content-Length", b"2")]
    assert bare(200, headers, b"{}", asked(if_none_match='"a"')).status == 304
    assert bare(200, headers, b"{}", asked()).body == b"{}"
    assert bare(404, headers, b"{}", asked(if_none_match="*")).status == 404
    assert bare(200, headers, b"{}", asked("HEAD")).body == b""
