"""Slow, silent and greedy clients, and too many at once: everybody else is still served."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: "
HALF_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"


def prompt(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


class Waiting:
    """Answers only when let; counts who is inside."""

    def __init__(self) -> None:
        self.inside = 0
        self.let = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.inside += 1
        assert self.let.wait(10)
        return prompt(environ, start_response)


def silent(client: socket.socket, seconds: float) -> bool:
    """Whether nothing was received within `seconds`."""
    return not select.select([client], [], [], seconds)[0]


def rest(client: socket.socket) -> bytes:
    try:
        return b"".join(iter(lambda: client.recv(65_536), b""))
    except ConnectionResetError:
        return b""


def test_slow_heads_and_slow_bodies_keep_nobody_waiting(serve: Any) -> None:
    server = serve(prompt, threads=1)
    slow = [server.connect(half) for half in (HALF_HEAD, HALF_BODY) for _ in range(100)]
    started = time.monotonic()
    answers = [server.get().status for _ in range(20)]

    assert answers == [200] * 20
    assert time.monotonic() - started < 2
    assert all(silent(client, 0) for client in slow)


def test_a_request_that_holds_the_only_thread_would_be_noticed(serve: Any, until: Any) -> None:
    app = Waiting()
    server = serve(app, threads=1)
    first = server.connect(GET)
    until(lambda: app.inside == 1)
    second = server.connect(GET)
    kept_waiting = silent(second, 0.2)
    app.let.set()

    assert kept_waiting
    assert [server.read(client).status for client in (first, second)] == [200, 200]


def test_whoever_reads_is_not_behind_those_who_wait_to_write(serve: Any, until: Any) -> None:
    app = Waiting()

    def either(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return (prompt if environ["REQUEST_METHOD"] == "GET" else app)(environ, start_response)

    server = serve(either, threads=2, max_waiting=2)
    writers = [server.connect(POST) for _ in range(3)]
    until(lambda: server.front.writing.inside == 3)
    assert [server.get().status for _ in range(5)] == [200] * 5
    assert server.ask(POST).status == 503
    app.let.set()
    assert [server.read(client, "POST").status for client in writers] == [200] * 3


def test_when_too_many_wait_the_next_is_asked_to_come_back(serve: Any, until: Any) -> None:
    app = Waiting()
    server = serve(app, threads=1, max_waiting=2)
    inside = [server.connect(GET) for _ in range(3)]
    until(lambda: server.front.reading.inside == 3)
    turned_away = server.get("/queue")
    app.let.set()

    assert (turned_away.status, turned_away.headers["Retry-After"]) == (503, "5")
    assert json.loads(turned_away.body) == {
        "type": "/problems/unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Too many requests are waiting. Please try again in a moment.",
        "instance": "/queue",
    }
    assert [server.read(client).status for client in inside] == [200] * 3
    assert server.get().status == 200


def test_a_head_that_drips_is_dropped_at_the_deadline(serve: Any) -> None:
    client = serve(prompt, head_seconds=0.3).connect(HALF_HEAD)
    drips = 0
    while silent(client, 0.02):
        client.sendall(b"x")
        drips += 1

    assert rest(client).startswith(b"HTTP/1.1 408 ")
    assert 2 < drips < 50


def test_a_client_that_says_nothing_is_dropped_at_the_deadline(serve: Any) -> None:
    assert rest(serve(prompt, head_seconds=0.1).connect()).startswith(b"HTTP/1.1 408 ")


def test_the_deadline_of_a_head_does_not_touch_a_request_that_is_worked_on(serve: Any, until: Any) -> None:
    app = Waiting()
    server = serve(app, head_seconds=0.1)
    client = server.connect(GET)
    until(lambda: app.inside == 1)
    assert silent(client, 0.3)
    app.let.set()

    assert server.read(client).body == b"ok"


def test_the_deadline_of_a_head_does_not_touch_a_body(serve: Any) -> None:
    server = serve(prompt, head_seconds=0.1)
    client = server.connect(HALF_BODY)
    assert silent(client, 0.3)
    client.sendall(bytes(996))

    assert server.read(client).body == b"ok"


def test_empty_lines_after_an_answer_do_not_keep_a_connection(serve: Any) -> None:
    server = serve(prompt, head_seconds=0.2, keep_alive=60)
    client = server.connect(GET)
    assert server.read(client).status == 200
    client.sendall(b"\r\n")

    assert rest(client).startswith(b"HTTP/1.1 408 ")


def test_the_next_head_on_a_connection_has_a_deadline_too(serve: Any) -> None:
    server = serve(prompt, head_seconds=0.2, keep_alive=60)
    client = server.connect(GET)
    assert server.read(client).status == 200
    client.sendall(HALF_HEAD)

    assert rest(client).startswith(b"HTTP/1.1 408 ")


def test_a_head_without_end_is_refused(serve: Any) -> None:
    client = serve(prompt).connect(HALF_HEAD)
    with pytest.raises(OSError, match="reset|[Bb]roken"):
        client.sendall(b"x" * 100_000_000)


def test_trailers_without_end_are_cut(serve: Any) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Half: "
    client = serve(prompt).connect(chunked)
    with pytest.raises(OSError, match="reset|[Bb]roken"):
        client.sendall(b"x" * 100_000_000)


def test_a_body_of_very_many_chunks_is_taken(serve: Any, until: Any) -> None:
    server = serve(prompt, head_bytes=100)
    client = server.connect(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    until(lambda: server.server.server_state.connections)
    (connection,) = server.server.server_state.connections
    until(lambda: connection.cycle)
    for _ in range(40):
        client.sendall(b"1\r\n")
        until(lambda: connection._head_bytes == 3)
        client.sendall(b"x\r\n")
        until(lambda: connection._head_bytes == 0)
    client.sendall(b"0\r\n\r\n")

    assert server.read(client).status == 200


def test_a_head_a_little_too_large_is_told_so(serve: Any) -> None:
    client = serve(prompt, head_bytes=1000).connect(HALF_HEAD + b"x" * 1000)

    assert rest(client).startswith(b"HTTP/1.1 431 ")


def test_a_head_within_bounds_is_taken_in_pieces(serve: Any) -> None:
    server = serve(prompt)
    client = server.connect(HALF_HEAD)
    for _ in range(7):
        client.sendall(b"x" * 4096)
        assert silent(client, 0.01)
    client.sendall(b"\r\n\r\n")

    assert server.read(client).status == 200


def test_a_big_body_is_not_mistaken_for_a_head(serve: Any) -> None:
    server = serve(prompt, head_bytes=1000)
    client = server.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(10):
        client.sendall(bytes(10_000))
    first = server.read(client)
    client.sendall(GET)

    assert (first.status, server.read(client).status) == (200, 200)


def test_a_head_without_end_behind_a_request_that_is_worked_on_is_cut(serve: Any, until: Any) -> None:
    app = Waiting()
    client = serve(app, head_bytes=1000).connect(GET)
    until(lambda: app.inside == 1)
    client.sendall(HALF_HEAD + b"x" * 2000)
    received = rest(client)
    app.let.set()

    assert received == b""


def test_connections_beyond_the_limit_are_turned_away(serve: Any, until: Any) -> None:
    server = serve(prompt, limit_concurrency=4)
    held = [server.connect(HALF_HEAD) for _ in range(3)]
    until(lambda: len(server.server.server_state.connections) == 3)
    turned_away = rest(server.connect())
    held[0].close()
    until(lambda: len(server.server.server_state.connections) == 2)

    assert turned_away.startswith(b"HTTP/1.1 503 ")
    assert server.get().status == 200


def test_a_client_that_does_not_read_its_answer_is_dropped(serve: Any) -> None:
    closed = threading.Event()

    def endless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            while True:
                yield bytes(65_536)
        finally:
            closed.set()

    serve(endless, stall_seconds=0.3).connect(GET)

    assert closed.wait(10)


def test_a_client_that_reads_slowly_but_steadily_is_not_dropped(serve: Any) -> None:
    def big(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "16000000")])
        return [bytes(16_000_000)]

    server = serve(big, stall_seconds=0.5)
    client = server.connect(GET)
    received, started = 0, time.monotonic()
    while received < 16_000_000:
        piece = client.recv(400_000)
        assert piece
        received += len(piece)
        select.select([], [], [], 0.02)

    assert time.monotonic() - started > 0.6
