"""Starting and stopping: nothing that runs is lost, nothing that hangs is waited for without end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.request import urlopen
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

CHILD = """
import sys, threading
from service.front import Front, run

def app(environ, start_response):
    print("working", flush=True)
    sys.stdin.readline()
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]

started = {on_startup}
try:
    run(
        Front(app, threads=1, max_body=100, body_timeout=5, max_waiting=1, on_startup=started),
        host="127.0.0.1", port=int(sys.argv[1]), backlog=16, limit_concurrency=100, keep_alive=5, graceful=10,
    )
finally:
    print("cleaned up", flush=True)
"""

SERVED = """
import sys
from flask import Flask
from service.config import Settings
from service.front import serve

app = Flask("small")
app.add_url_rule("/", view_func=lambda: "served")
app.extensions["greenroom_settings"] = Settings(threads=1, cache_mb=0)
serve(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


def child(port: int, on_startup: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CHILD.format(on_startup=on_startup), str(port)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def free_port() -> int:
    for port in range(20_000, 21_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("No free port below 21000.")


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_request_finish(until: Any, how: signal.Signals) -> None:
    port = free_port()
    with child(port, "lambda: print('starting', flush=True)") as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "starting\n"
        until(lambda: accepts(port))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert process.stdout.readline() == "working\n"
            process.send_signal(how)
            until(lambda: not accepts(port))
            process.stdin.write("go on\n")
            process.stdin.flush()
            answer = b"".join(iter(lambda: client.recv(1000), b""))
        cleaned_up = process.stdout.readline()
        code = process.wait(10)

    assert answer.endswith(b"\r\n\r\ndone")
    assert cleaned_up == "cleaned up\n"
    assert code == 0


def test_who_has_just_come_is_answered(until: Any) -> None:
    """uvicorn by itself hangs up on a connection on which nothing was asked yet, though its request is on the way."""
    port = free_port()
    with child(port, "lambda: print('starting', flush=True)") as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "starting\n"
        until(lambda: accepts(port))
        process.stdin.write("go on\n")
        process.stdin.flush()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            process.send_signal(signal.SIGTERM)
            until(lambda: not accepts(port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(1000), b""))

    assert answer.endswith(b"\r\n\r\ndone")


def test_a_start_that_fails_never_listens() -> None:
    port = free_port()
    with child(port, "lambda: 1 / 0") as process:
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 3
    assert "ZeroDivisionError" in errors


def test_a_flask_app_is_served_by_its_settings(until: Any) -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", SERVED, str(port)]) as process:
        until(lambda: accepts(port))
        with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
            answer = response.read()
        process.terminate()

    assert (answer, process.returncode) == (b"served", 0)


def test_stopping_closes_an_answer_that_would_never_end(serve: Any) -> None:
    closed = threading.Event()

    def endless(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            while True:
                yield b"more"
        finally:
            closed.set()

    server = serve(endless, graceful=0)
    client = server.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client.recv(100)
    assert not closed.is_set()
    server.server.should_exit = True
    b"".join(iter(lambda: client.recv(65_536), b""))

    assert closed.wait(5)


def test_stopping_waits_for_a_step_before_it_closes_the_answer(serve: Any, until: Any, caplog: Any) -> None:
    order: list[str] = []
    stepping, let = threading.Event(), threading.Event()

    class Slow:
        def __iter__(self) -> Iterator[bytes]:
            stepping.set()
            assert let.wait(10)
            order.append("step")
            yield b"x"

        def close(self) -> None:
            order.append("close")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Slow()

    server = serve(app, graceful=0)
    server.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert stepping.wait(5)
    server.server.should_exit = True
    until(lambda: "graceful shutdown exceeded" in caplog.text)
    let.set()

    until(lambda: len(order) == 2)
    assert order == ["step", "close"]
