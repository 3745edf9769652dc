"""A receiver of webhooks on the loopback: it answers as it is told to, and keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.processes import free_port


@dataclass(frozen=True)
class Got:
    """One request: its headers, by lower-case names, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """`answers`: status and headers of the next ones, in order; then 200. 0 hangs up, -1 comes too late."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    body: bytes = b"thanks"
    hold: threading.Event | None = None
    """While it is not set, nobody is answered."""
    loses: bool = False
    """What it gets it forgets: as if it had not arrived."""
    late: float = 1.5
    """Seconds that an answer takes which comes too late."""

    def types(self) -> list[str]:
        return [one.told["type"] for one in self.got]

    def next_answer(self) -> tuple[int, dict[str, str]]:
        return self.answers.pop(0) if self.answers else (200, {})


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver while the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got, loses = Got(self.path, headers, body), receiver.loses
            receiver.got.append(got)
            if receiver.hold:
                receiver.hold.wait(30)
            if loses:
                receiver.got.remove(got)
            status, more = receiver.next_answer()
            if status <= 0:
                threading.Event().wait(receiver.late if status else 0)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield receiver
        if receiver.hold:
            receiver.hold.set()
        server.shutdown()
        thread.join()
