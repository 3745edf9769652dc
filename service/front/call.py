"""One request as WSGI sees it (PEP 3333): its environ, and the call of the app."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Context
from threading import Lock
from typing import IO, Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

Environ = dict[str, Any]

BLOCK = 65_536  # an answer that declares its length leaves in pieces of about this size


class Call:
    """One call of the WSGI app. Its steps run in threads, one after another, in a context of its own."""

    def __init__(self, app: WSGIApplication, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        # An empty one: what the server's own context holds, an app context of Flask's say, is not for every request.
        self._context = Context()
        self._turn = Lock()  # a stopping server may close a call while a step of it still runs
        self._answer: Iterable[bytes] | None = None
        self._blocks: Iterator[bytes] | None = None
        self._written: list[bytes] = []
        self._left: int | None = None
        self._head_given = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.over = False

    def step(self) -> tuple[bytes, bool]:
        """The next bytes of the answer, and whether more may follow. The first step calls the app."""
        with self._turn:
            return self._context.run(self._step)

    def close(self) -> None:
        with self._turn:
            self._context.run(self._close)

    def _step(self) -> tuple[bytes, bool]:
        more = False
        try:
            if self._blocks is None:
                self._answer = self._app(self._environ, self._start_response)
                self._blocks = iter(self._answer)
            data, more = self._gather(self._blocks)
        finally:
            if not more:
                self._close()
        self._head_given = True
        return data, more

    def _gather(self, blocks: Iterator[bytes]) -> tuple[bytes, bool]:
        """Of an answer that declares its length a good piece; of any other, each block as it comes."""
        parts, self._written = self._written, []
        size = sum(map(len, parts))
        more = False
        for block in blocks:
            parts.append(block)
            size += len(block)
            more = size > 0 if self._left is None else BLOCK <= size < self._left
            if more:
                break
        if not self.status:
            raise RuntimeError("The WSGI app did not call start_response.")
        if self._left is not None:
            self._left -= size
        return b"".join(parts), more

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        if exc_info and self._head_given:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise RuntimeError("The WSGI app called start_response twice.")
        self.status = int(status[:3])
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        lengths = [int(value) for name, value in self.headers if name.lower() == b"content-length"]
        self._left = lengths[0] if lengths else None
        return self._written.append

    def _close(self) -> None:
        self.over = True
        answer, self._answer = self._answer, None
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def environ_of(scope: Mapping[str, Any], body: IO[bytes]) -> Environ:
    """The WSGI environ (PEP 3333) of an ASGI scope whose body has been taken in."""
    size = body.seek(0, 2)
    body.seek(0)
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    server, client = scope["server"], scope["client"]
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(size),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    _add_headers(environ, scope["headers"])
    return environ


def _add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> None:
    for raw_name, raw_value in headers:
        # CGI spelling turns `-` into `_`, so a name sent with `_` could pose as one that a proxy vouches for.
        if b"_" in raw_name or raw_name in (b"content-length", b"transfer-encoding"):
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if key in environ:
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        environ[key] = value
