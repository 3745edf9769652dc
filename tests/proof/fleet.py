"""Several Greenrooms that serve one site, a proxy that appends, and clients with addresses of their own."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from flask import Flask

from service.front import Front, configured
from tests.processes import ask, environment, free_port, running, until

from .knocking import comment, forged
from .world import sent

PATH = "/v1/sites/blog/comments"


def posted(port: int, n: int, peer: str, headers: Mapping[str, str] | None = None) -> int:
    """Post a comment from an address of the loopback; the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(peer, 0))
    try:
        told = {"Content-Type": "application/json"} | (forged(n) if headers is None else dict(headers))
        connection.request("POST", PATH, json.dumps(comment(n)), told)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


class Apps:
    """Apps of one process, each with a memory of its own: what processes are to each other, without their start."""

    def __init__(self, apps: list[Flask]) -> None:
        self._apps = apps

    def __len__(self) -> int:
        return len(self._apps)

    def post(self, member: int, n: int, peer: str) -> int:
        client = self._apps[member].test_client()
        more: dict[str, Any] = {"json": comment(n), "headers": forged(n), "environ_base": {"REMOTE_ADDR": peer}}
        return sent(client, PATH, method="POST", **more).status_code


class Processes:
    """As many times `greenroom serve`."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports

    def __len__(self) -> int:
        return len(self._ports)

    def post(self, member: int, n: int, peer: str) -> int:
        return posted(self._ports[member], n, peer)


@contextmanager
def processes(number: int, place: Path, **settings: str) -> Iterator[Processes]:
    ports: list[int] = []
    with ExitStack() as stack:
        for _ in range(number):
            port = free_port()  # one after another: what nobody listens on yet may be found twice
            own = place / str(port)
            own.mkdir()
            env = environment(GREENROOM_LOG_LEVEL="ERROR", **settings)
            process = stack.enter_context(running("serve", "--no-worker", "--port", str(port), cwd=own, env=env))
            until(lambda p=port: ask(f"http://127.0.0.1:{p}/readyz")[0] == 200, alive=process)  # type: ignore[misc]
            ports.append(port)
        yield Processes(ports)


@contextmanager
def fronted(app: Flask) -> Iterator[int]:
    """The app behind the real front door, in a thread; its port."""
    front = Front(app, threads=4, max_body=300_000, body_timeout=20, max_waiting=50)
    port = free_port()
    options = {"backlog": 64, "limit_concurrency": 100, "keep_alive": 5, "graceful": 5}
    server = uvicorn.Server(configured(front, host="127.0.0.1", port=port, **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def proxied(port: int, own: str) -> Iterator[int]:
    """A proxy with the address `own` before a port: it appends to X-Forwarded-For, passes on the rest; its port."""

    class Appends(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = dict(self.headers.items())
            before = headers.pop("X-Forwarded-For", "")
            headers["X-Forwarded-For"] = ", ".join(filter(None, (before, self.client_address[0])))
            onward = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(own, 0))
            onward.request("POST", self.path, self.rfile.read(int(self.headers["Content-Length"])), headers)
            answer = onward.getresponse()
            body = answer.read()
            onward.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Appends)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
