"""What the WSGI app is handed, and what becomes of its answers."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.validate import validator

import pytest
from flask import Flask, Response, g, request, stream_with_context
from werkzeug.test import create_environ

from service.front.call import Call

Environ = WSGIEnvironment
PLAIN = [("Content-Type", "text/plain")]


def say(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "5")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The environ's strings as JSON, with the body under `body`."""
    seen = {name: value for name, value in environ.items() if isinstance(value, str)}
    seen["body"] = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode("latin-1")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


class Blocks:
    """An iterable answer that counts what was taken from it and notes that it was closed."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.blocks = iter(blocks)
        self.taken = 0
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = next(self.blocks)
        self.taken += 1
        return block

    def close(self) -> None:
        self.closed.set()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return self


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"hello"),
        (b"GET /a%20b?c=d&e HTTP/1.0\r\n\r\n", b"hello"),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b""),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc", b"hello"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"hello"),
    ],
)
def test_the_reference_validator_finds_nothing_to_complain_of(serve: Any, request_: bytes, body: bytes) -> None:
    def reading(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(10)
        environ["wsgi.errors"].flush()
        return say(environ, start_response)

    answer = serve(validator(reading)).ask(request_)

    assert (answer.status, answer.body) == (200, body)


def test_the_reference_validator_would_complain_of_a_bad_app(serve: Any) -> None:
    def no_status(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("fine", PLAIN)
        return [b""]

    assert serve(validator(no_status)).get().status == 500


def test_headers_sent_twice_are_joined(serve: Any) -> None:
    seen = json.loads(serve(echo).get("/", "X-A: 1", "X-A: 2", "Cookie: a=1", "Cookie: b=2").body)

    assert (seen["HTTP_X_A"], seen["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")


def test_a_header_spelt_with_underscores_cannot_pose_as_another(serve: Any) -> None:
    server = serve(echo)

    posing = json.loads(server.get("/", "X_Forwarded_For: 6.6.6.6").body)
    honest = json.loads(server.get("/", "X-Forwarded-For: 6.6.6.6").body)

    assert "HTTP_X_FORWARDED_FOR" not in posing
    assert honest["HTTP_X_FORWARDED_FOR"] == "6.6.6.6"


def test_the_client_is_who_holds_the_connection(serve: Any) -> None:
    claims = ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "Forwarded: for=6.6.6.6;proto=https")

    def scheme(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return echo({**environ, "scheme": environ["wsgi.url_scheme"]}, start_response)

    seen = json.loads(serve(scheme).get("/", *claims).body)

    assert (seen["REMOTE_ADDR"], seen["scheme"]) == ("127.0.0.1", "http")


def test_a_path_arrives_as_the_bytes_that_were_sent(serve: Any) -> None:
    seen = json.loads(serve(echo).get("/caf%C3%A9%2F/%FF?q=%C3%A9&_").body)

    assert seen["PATH_INFO"].encode("latin-1") == "/café//".encode() + b"\xff"
    assert seen["QUERY_STRING"] == "q=%C3%A9&_"
    assert seen["RAW_URI"] == "/caf%C3%A9%2F/%FF?q=%C3%A9&_"
    assert seen["SCRIPT_NAME"] == ""


def test_a_head_request_is_answered_without_a_body_and_the_connection_lives_on(serve: Any) -> None:
    server = serve(say)
    client = server.connect(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = server.read(client, "HEAD")
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (head.status, head.headers["Content-Length"], head.body) == (200, "5", b"")
    assert server.read(client).body == b"hello"


def test_the_server_does_not_name_itself(serve: Any) -> None:
    headers = serve(say).get().headers

    assert headers["Server"] is None
    assert headers["Date"]


def test_an_exception_becomes_a_problem_that_tells_no_internals(serve: Any, caplog: Any) -> None:
    def broken(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise ValueError("the-secret")

    answer = serve(broken).get("/v1/x?token=abc")

    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.body) == {
        "type": "/problems/internal-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side. It has been noted.",
        "instance": "/v1/x",
    }
    assert "the-secret" in caplog.text


def test_a_connection_is_usable_after_an_exception(serve: Any) -> None:
    def moody(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/bad":
            raise ValueError
        return say(environ, start_response)

    server = serve(moody)
    client = server.connect(b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n")
    first = server.read(client)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (first.status, server.read(client).status) == (500, 200)


@pytest.mark.parametrize("calls", [0, 2])
def test_start_response_is_called_once(serve: Any, calls: int) -> None:
    def confused(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        for _ in range(calls):
            start_response("200 OK", PLAIN)
        return [b"x"]

    assert serve(confused).get().status == 500


def test_an_app_may_change_its_mind_before_the_first_block(serve: Any) -> None:
    def changing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        try:
            raise ValueError
        except ValueError:
            start_response("418 I'm a Teapot", PLAIN, sys.exc_info())
        return [b"tea"]

    answer = serve(changing).get()

    assert (answer.status, answer.body) == (418, b"tea")


def test_an_app_that_fails_in_mid_answer_cuts_the_connection(serve: Any) -> None:
    def halves() -> Iterator[bytes]:
        yield b"half"
        raise ValueError

    app = Blocks(halves())
    client = serve(app).connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    received = b"".join(iter(lambda: client.recv(65_536), b""))

    assert b"4\r\nhalf\r\n" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert app.closed.wait(5)


def test_an_app_cannot_change_its_mind_after_the_first_block(serve: Any) -> None:
    def changing(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"half"
        try:
            raise ValueError
        except ValueError:
            start_response("500 Oh", PLAIN, sys.exc_info())
        yield b"an error page"

    client = serve(changing).connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    received = b"".join(iter(lambda: client.recv(65_536), b""))

    assert b"half" in received
    assert b"an error page" not in received


def test_what_was_written_goes_before_what_is_returned(serve: Any) -> None:
    def writing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"first, ")
        return [b"second"]

    assert serve(writing).get().body == b"first, second"


def test_an_answer_is_closed_when_it_is_complete(serve: Any) -> None:
    app = Blocks([b"a", b"", b"b"])

    assert serve(app).get().body == b"ab"
    assert app.closed.wait(5)


def test_an_answer_is_closed_when_the_client_leaves_in_the_midst_of_it(serve: Any) -> None:
    app = Blocks(bytes(65_536) for _ in iter(int, 1))
    client = serve(app).connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client.recv(100)
    assert not app.closed.is_set()
    client.close()

    assert app.closed.wait(5)


def test_a_block_leaves_before_the_next_one_is_made(serve: Any) -> None:
    asked = threading.Event()

    def two() -> Iterator[bytes]:
        yield b"one"
        assert asked.wait(5)
        yield b"two"

    client = serve(Blocks(two())).connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    received = b""
    while b"one" not in received:
        received += client.recv(1000)
    asked.set()
    while b"two" not in received:
        received += client.recv(1000)

    assert received.index(b"one") < received.index(b"two")


@pytest.mark.parametrize("length", [[], [("Content-Length", str(20 * 1024 * 1024))]])
def test_a_slow_reader_of_a_big_answer_holds_no_thread(serve: Any, length: list[tuple[str, str]]) -> None:
    piece = bytes(range(256)) * 32  # 8 kB, as a file is read
    app = Blocks(piece for _ in range(2560))

    def both(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/big":
            start_response("200 OK", [*PLAIN, *length])
            return app
        return say(environ, start_response)

    server = serve(both, threads=1)
    reader = server.connect(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    reader.recv(1, 2)  # MSG_PEEK: the answer has begun
    others = [server.get().status for _ in range(3)]
    held_back = app.taken < 2560
    whole = server.read(reader)

    assert others == [200] * 3
    assert held_back
    assert hashlib.sha256(whole.body).digest() == hashlib.sha256(piece * 2560).digest()
    assert app.closed.wait(5)


def test_a_header_with_a_line_break_never_reaches_the_wire(serve: Any) -> None:
    def splitting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [*PLAIN, ("X-A", "1\r\nX-Injected: 1")])
        return [b""]

    client = serve(splitting).connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert b"X-Injected" not in b"".join(iter(lambda: client.recv(65_536), b""))


def test_two_requests_sent_at_once_are_answered_in_order(serve: Any) -> None:
    client = serve(echo).connect(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in (1, 2)))
    received = b""
    while received.count(b'"PATH_INFO"') < 2:
        received += client.recv(65_536)

    assert re.findall(rb'"PATH_INFO": "/(\d)"', received) == [b"1", b"2"]


def test_steps_of_one_answer_share_a_context_in_whatever_thread_they_run() -> None:
    mood: ContextVar[str] = ContextVar("mood")

    def moody(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        token = mood.set("merry")
        yield mood.get().encode()
        yield mood.get().encode()
        mood.reset(token)

    call = Call(moody, {})
    steps = []
    for _ in range(3):
        with ThreadPoolExecutor(1) as thread:
            steps.append(thread.submit(call.step).result())

    assert steps == [(b"merry", True), (b"merry", True), (b"", False)]


def test_requests_share_nothing_with_the_context_that_the_server_was_started_in() -> None:
    app = Flask(__name__)

    @app.get("/")
    def left() -> str:
        return str(g.setdefault("who", request.args["who"]))

    with app.app_context():  # as commands have it while they serve
        calls = [Call(app, create_environ(query_string={"who": who})) for who in ("anna", "bert")]
        answers = [call.step()[0] for call in calls]
        outside = g.get("who")

    assert (answers, outside) == ([b"anna", b"bert"], None)


def test_a_streamed_answer_of_flask_keeps_its_request(serve: Any) -> None:
    app = Flask(__name__)

    @app.get("/<name>")
    def words(name: str) -> Response:
        return Response(stream_with_context(request.path for _ in range(3)))

    server = serve(app, threads=4)

    assert {server.get(f"/{n}").body for n in range(5)} == {f"/{n}".encode() * 3 for n in range(5)}
