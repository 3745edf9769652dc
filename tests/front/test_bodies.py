"""Bodies are taken in whole, within a size and a time, before a thread is lent."""

from __future__ import annotations

import json
import select
import socket
import tempfile
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

CAP = 300_000
HEAD = b"POST /door HTTP/1.1\r\nHost: a\r\n"


class Echo:
    """Answers with the body it was sent, and keeps every environ."""

    def __init__(self) -> None:
        self.seen: list[WSGIEnvironment] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(environ)
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [environ["wsgi.input"].read()]


def with_length(body: bytes, length: bytes | None = None) -> bytes:
    return HEAD + b"Content-Length: %b\r\n\r\n%b" % (length or b"%d" % len(body), body)


def in_chunks(*chunks: bytes) -> bytes:
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"


def test_a_chunked_body_arrives_whole_and_with_its_length(serve: Any) -> None:
    app = Echo()

    assert serve(app).ask(in_chunks(b"one ", b"two ", b"three")).body == b"one two three"
    assert app.seen[0]["CONTENT_LENGTH"] == "13"
    assert "HTTP_TRANSFER_ENCODING" not in app.seen[0]


def test_trailers_do_not_pose_as_headers(serve: Any) -> None:
    app = Echo()
    server = serve(app)
    chunked = in_chunks(b"body")

    assert server.ask(chunked[:-2] + b"X-Forwarded-For: 6.6.6.6\r\n\r\n").body == b"body"
    assert server.ask(chunked.replace(b"\r\n", b"\r\nX-Forwarded-For: 6.6.6.6\r\n", 1)).body == b"body"
    assert ["HTTP_X_FORWARDED_FOR" in environ for environ in app.seen] == [False, True]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, CAP])
def test_a_body_up_to_the_cap_arrives_as_it_was_sent(serve: Any, size: int) -> None:
    body = (bytes(range(256)) * (CAP // 256 + 1))[:size]

    assert serve(Echo()).ask(with_length(body)).body == body


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: -1\r\n",
        b"Content-Length: five\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, gzip\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ],
)
def test_a_body_whose_end_is_in_doubt_is_refused(serve: Any, framing: bytes) -> None:
    app = Echo()

    assert serve(app).ask(HEAD + framing + b"\r\nhello").status == 400
    assert app.seen == []


def test_a_body_whose_end_is_clear_is_taken(serve: Any) -> None:
    assert serve(Echo()).ask(HEAD + b"Content-Length: 5\r\n\r\nhello").status == 200


def test_what_follows_the_declared_length_is_not_part_of_the_body(serve: Any, until: Any) -> None:
    app = Echo()
    serve(app).connect(with_length(b"hello, and more", b"5"))
    until(lambda: app.seen)

    assert app.seen[0]["CONTENT_LENGTH"] == "5"


def test_a_client_that_leaves_before_its_declared_length_never_reaches_the_app(serve: Any, until: Any) -> None:
    app = Echo()
    server = serve(app)
    server.connect(with_length(b"half", b"100")).close()
    until(lambda: not server.server.server_state.connections)
    complete = server.ask(with_length(b"all"))

    assert complete.body == b"all"
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    "request_",
    [with_length(b"", b"%d" % (CAP + 1)), in_chunks(b"x" * CAP, b"x")],
    ids=["declared", "chunked"],
)
def test_a_body_over_the_cap_is_refused_with_a_problem(serve: Any, request_: bytes) -> None:
    app = Echo()

    answer = serve(app, max_body=CAP).ask(request_)

    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Connection"] == "close"
    assert json.loads(answer.body) == {
        "type": "/problems/too-large",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "That is larger than what is accepted here.",
        "instance": "/door",
    }
    assert app.seen == []


def test_a_client_that_sends_all_of_a_refused_body_can_still_read_why(serve: Any) -> None:
    server = serve(Echo())
    client = server.connect(with_length(b"", b"8000000"))
    client.sendall(bytes(8_000_000))

    assert server.read(client).status == 413


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_body_that_drips_is_refused_at_the_deadline(serve: Any, framing: bytes) -> None:
    app = Echo()
    server = serve(app, body_timeout=0.3)
    client = server.connect(HEAD + framing)
    drips = 0
    while not select.select([client], [], [], 0.02)[0]:
        client.sendall(b"x" if b"Length" in framing else b"1\r\nx\r\n")
        drips += 1
    answer = server.read(client)

    assert (answer.status, answer.headers["Connection"]) == (408, "close")
    assert json.loads(answer.body)["type"] == "/problems/request-timeout"
    assert 2 < drips < 50
    assert app.seen == []


def test_a_slow_body_within_the_deadline_is_taken(serve: Any) -> None:
    server = serve(Echo(), body_timeout=10.0)
    client = server.connect(with_length(b"", b"10"))
    for byte in b"abcdefghij":
        assert not select.select([client], [], [], 0.02)[0]
        client.sendall(bytes([byte]))

    assert server.read(client).body == b"abcdefghij"


def test_a_client_that_asks_first_is_told_to_go_on(serve: Any) -> None:
    client = serve(Echo()).connect(HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"hello")

    assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_client_that_asks_first_is_told_when_its_body_is_too_large(serve: Any) -> None:
    client = serve(Echo()).connect(HEAD + b"Content-Length: 9999999\r\nExpect: 100-continue\r\n\r\n")

    assert client.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("framing", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_a_body_with_an_offer_to_upgrade_is_refused_and_not_lost(serve: Any, framing: bytes) -> None:
    """Some HTTP/2 clients offer h2c with every first request, and the parser stops at such a head."""
    app = Echo()

    answer = serve(app).ask(HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + framing)

    assert (answer.status, answer.headers["Connection"]) == (400, "close")
    assert json.loads(answer.body)["detail"] == "Send this again without the Upgrade header."
    assert app.seen == []


def test_a_body_after_an_offer_to_upgrade_is_not_taken_for_a_request(serve: Any, until: Any) -> None:
    app = Echo()
    server = serve(app)
    client = server.connect(HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 40\r\n\r\n")
    client.sendall(b"GET /smuggled HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n")
    until(lambda: not server.server.server_state.connections or client.close())

    assert server.ask(with_length(b"x")).status == 200
    assert [environ["PATH_INFO"] for environ in app.seen] == ["/door"]


def test_a_request_without_a_body_may_offer_an_upgrade(serve: Any) -> None:
    assert serve(Echo()).get("/", "Connection: Upgrade", "Upgrade: h2c").status == 200


def test_a_full_disk_is_a_problem_that_asks_to_come_back(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(Echo())
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    big, small = server.ask(with_length(b"x" * 100_000)), server.ask(with_length(b"x"))

    assert (big.status, big.headers["Retry-After"]) == (503, "5")
    assert json.loads(big.body)["type"] == "/problems/unavailable"
    assert small.status == 200


def test_a_half_open_client_does_not_keep_its_body(serve: Any, until: Any) -> None:
    server = serve(Echo(), body_timeout=0.2)
    client = server.connect(with_length(b"half", b"100"))
    client.shutdown(socket.SHUT_WR)

    until(lambda: not server.server.server_state.connections)
