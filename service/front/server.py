"""uvicorn, set up for the front door."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from asyncio import TimerHandle
from math import ceil
from typing import Any, TypedDict, Unpack

import uvicorn
from flask import Flask
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service import metrics
from service.config import Settings, traces_wanted
from service.db import db, on_commit
from service.front.door import Front
from service.readcache import PostgresChanges, Store, changes_of

log = logging.getLogger(__name__)

LARGEST_BODY = 2_000_000  # a list of words; the doors behind the front take less, each its own
_LAST_WORDS = 0.2
"""Seconds that a server that is to stop waits for a request on a connection that it has taken."""
CONNECTIONS = 900  # fits the 1,024 open files that a process is commonly allowed


class Connection(HttpToolsProtocol):
    """uvicorn's connection with an end to its patience.

    Its parser would wait for a head for ever and let it grow without end, keep an answer that nobody reads,
    and hold any number of connections. What is refused here gets a bare status line: no request exists yet.
    """

    HEAD_SECONDS = 10.0
    HEAD_BYTES = 32_768
    STALL_SECONDS = 30.0

    _head_timer: TimerHandle | None = None
    _stall_timer: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) >= self.limit_concurrency:
            self._refuse(503)
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        taken = len(cycle.body) if cycle else 0
        super().data_received(data)
        if self.cycle is not cycle:  # a head is complete: uvicorn has begun a request
            self._head_done()
        elif cycle and len(cycle.body) > taken:
            self._head_bytes = 0
        else:  # it was head, or trailers, which the parser keeps likewise
            self._head_bytes += len(data)
            if self._head_bytes > self.HEAD_BYTES:
                self._refuse(431)
            elif not self._working():
                self._await_head()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.headers = []  # the scope has the list that was here; trailers must not join its headers

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(0)

    def resume_writing(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        self.resume_writing()
        super().connection_lost(exc)

    def _watch_reader(self, unread: int) -> None:
        """Drop a client that has taken nothing of its answer since the last look."""
        still_unread = self.transport.get_write_buffer_size()
        if still_unread == unread:
            self.transport.abort()
        else:
            self._stall_timer = self.loop.call_later(self.STALL_SECONDS, self._watch_reader, still_unread)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.HEAD_SECONDS, self._refuse, 408)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer, self._head_bytes = None, 0

    def _working(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        if not self._working():  # a status line in the midst of an answer would corrupt it
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


class Options(TypedDict):
    """Where to listen, and how much: times in seconds, `limit_concurrency` in connections."""

    host: str
    port: int
    backlog: int
    limit_concurrency: int
    keep_alive: int
    graceful: int


def configured(app: Front, **options: Unpack[Options]) -> uvicorn.Config:
    """uvicorn's settings. Who the client is and what is logged is decided behind the front, not here."""
    return uvicorn.Config(
        app,
        host=options["host"],
        port=options["port"],
        backlog=options["backlog"],
        limit_concurrency=options["limit_concurrency"],
        timeout_keep_alive=options["keep_alive"],
        timeout_graceful_shutdown=options["graceful"],
        http=Connection,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: Any = None) -> None:
        """First let those who have just come say what they want: uvicorn hangs up on whoever has not yet."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_LAST_WORDS)
        await super().shutdown(sockets)


def run(app: Front, listening: Any = None, **options: Unpack[Options]) -> None:
    """Serve until SIGTERM or SIGINT; then finish what runs, for `graceful` seconds at most, and exit.

    `listening`: an open socket, which others may share.
    """
    # uvicorn ends by raising the signal once more; untouched, SIGTERM would then skip the caller's `finally`.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))
    _Server(configured(app, **options)).run([listening] if listening else None)


def serve(app: Flask, *, host: str, port: int, listening: Any = None) -> None:
    """Serve Greenroom by its settings; returns as `run` does."""
    settings: Settings = app.extensions["greenroom_settings"]
    store = _store(app, settings)
    front = Front(
        app,
        threads=settings.threads,
        max_body=LARGEST_BODY,
        body_timeout=settings.body_timeout,
        max_waiting=settings.max_waiting,
        store=store,
    )
    _tell(front, store)
    metrics.serve(app, "web")
    if traces_wanted():
        _trace(app)
    # Longer than a request may wait for a busy database, first in its process' queue and then before the lock.
    graceful = ceil(2 * settings.busy_timeout) + 5
    run(
        front,
        listening,
        host=host,
        port=port,
        backlog=512,
        limit_concurrency=CONNECTIONS,
        keep_alive=20,
        graceful=graceful,
    )


def _tell(front: Front, store: Store | None) -> None:
    """Name what the quick way counts without a lock."""
    lanes = {"reading": front.reading, "writing": front.writing}
    metrics.reading(
        "greenroom_lane_requests", "Requests that a thread works on, or that wait for one.",
        lambda: {name: lane.inside for name, lane in lanes.items()}, label="lane",
    )  # fmt: skip
    if store is None:
        return
    metrics.reading(
        "greenroom_cache_answers", "Answers out of the read cache, and those that were made and kept.",
        lambda: {"hit": store.given[200], "not modified": store.given[304], "made": store.made},
        label="result", kind="counter",
    )  # fmt: skip
    metrics.reading("greenroom_cache_bytes", "Bytes that the read cache keeps.", lambda: store.size)
    metrics.reading("greenroom_cache_limit_bytes", "Bytes that it may keep.", lambda: store.most)


def _trace(app: Flask) -> None:
    """Where the extra is not installed, go on without."""
    try:
        from service import tracing
    except ImportError:
        log.warning("OTEL_* variables ask for traces, and the extra is missing: pip install 'greenroom-comments[otel]'")
        return
    tracing.init_app(app)


def _store(app: Flask, settings: Settings) -> Store | None:
    """The read cache of a process that serves an app, told of what is committed."""
    if not settings.cache_mb:
        return None
    with app.app_context():
        changes = changes_of(db.engine)
    if isinstance(changes, PostgresChanges):
        on_commit(app, changes.catch_up)
    return Store(settings.cache_mb * 1_000_000, changes)
