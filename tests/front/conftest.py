"""A real uvicorn with the front door in a thread, and clients that speak HTTP by hand."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPMessage, HTTPResponse
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
import uvicorn

from service.front import Front, configured
from service.front.server import Connection

PATIENCE = 10.0


@dataclass
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes


@dataclass
class Served:
    """A running server: `front` behind `port`, and the sockets a test opened to it."""

    front: Front
    server: uvicorn.Server
    port: int
    sockets: list[socket.socket] = field(default_factory=list)

    def connect(self, data: bytes = b"") -> socket.socket:
        """A new connection on which `data` was sent."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self.sockets.append(client)
        client.sendall(data)
        return client

    def ask(self, data: bytes) -> Answer:
        """Send one request on a connection of its own and read the answer."""
        return self.read(self.connect(data), data.split(b" ", 1)[0].decode())

    def get(self, path: str = "/", *headers: str) -> Answer:
        return self.ask("\r\n".join([f"GET {path} HTTP/1.1", "Host: a.test", *headers, "", ""]).encode("latin-1"))

    @staticmethod
    def read(client: socket.socket, method: str = "GET") -> Answer:
        response = HTTPResponse(client, method=method)
        try:
            response.begin()
            return Answer(response.status, response.headers, response.read())
        finally:
            response.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """`serve(app, threads=2, head_seconds=…, …)` starts a server; all are stopped after the test."""
    running: list[tuple[Served, threading.Thread]] = []
    # uvicorn looks ten times a second whether it shall stop, and what is still open: here, a hundred times.
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))

    def start(app: WSGIApplication, **settings: Any) -> Served:
        for name in ("HEAD_SECONDS", "HEAD_BYTES", "STALL_SECONDS"):
            if name.lower() in settings:
                monkeypatch.setattr(Connection, name, settings.pop(name.lower()))
        options = {"backlog": 256, "limit_concurrency": 500, "keep_alive": 5, "graceful": 5}
        options |= {name: settings.pop(name) for name in list(settings) if name in options}
        limits = {"threads": 2, "max_body": 300_000, "body_timeout": PATIENCE, "max_waiting": 50}
        front = Front(app, **(limits | settings))
        listening = _listen()
        port = listening.getsockname()[1]
        server = uvicorn.Server(configured(front, host="127.0.0.1", port=port, **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        served = Served(front, server, port)
        running.append((served, thread))
        until(lambda: server.started)
        return served

    yield start
    for served, thread in running:
        for client in served.sockets:
            client.close()
        served.server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def _listen() -> socket.socket:
    for port in range(21_000, 32_000):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(256)
            return listening
        except OSError:
            listening.close()
    raise RuntimeError("No free port below 32000.")


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition()` holds; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        tick.wait(0.005)


@pytest.fixture(name="until")
def _until() -> Callable[[Callable[[], object]], None]:
    return until
