"""Builds that are broken on purpose, and surroundings: what a served process does before it starts."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch
from uuid import UUID
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import time_machine
from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import Session
from uuid_utils import compat

import service.__main__ as entry
from service import limits
from service.app import create_app
from service.comments import operations
from service.db import db, transaction
from service.front import server
from service.readcache.changes import PostgresChanges, SqliteChanges
from service.webhooks.outbox import announce

CLOCK = "clock"
"""The file, beside the database, that says how many seconds the clock is to be wrong."""

FILES = 64

_LATE = 0.05  # seconds, as a queue in memory may take


def answers_first() -> None:
    """A submission is answered before it is stored."""

    def made() -> Flask:
        app = create_app()
        app.wsgi_app = _AnswersFirst(app.wsgi_app)  # type: ignore[method-assign]
        return app

    patch.object(entry, "create_app", made).start()


class _AnswersFirst:
    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._later = _queue()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith("/comments") or environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start_response)
        kept = environ | {"wsgi.input": BytesIO(environ["wsgi.input"].read())}
        self._later(lambda: list(self._app(kept, lambda *_: lambda _: None)))
        told = json.dumps({"id": None, "status": "pending"}).encode()
        start_response("202 Accepted", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
        return [told]


def tells_later() -> None:
    """An event is written after the commit of what it tells of."""
    later = _queue()

    def noted(type_: str, site_id: UUID, subject_id: UUID, data: dict[str, Any], *more: Any) -> None:
        act = partial(announce, type_, site_id, subject_id, data, *more)
        db.session().info.setdefault("late", []).append(act)

    @event.listens_for(Session, "after_commit")
    def committed(session: Session) -> None:
        for act in session.info.pop("late", []):
            later(partial(_in_a_transaction, current_app._get_current_object(), act))  # type: ignore[attr-defined]

    patch.object(operations, "announce", noted).start()


def _in_a_transaction(app: Flask, act: Callable[[], object]) -> None:
    time.sleep(_LATE)
    with app.app_context(), transaction():
        act()


def _queue() -> Callable[[Callable[[], object]], None]:
    """Something that works off, in a thread of its own, what it is given."""
    waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def work() -> None:
        while True:
            waiting.get()()

    threading.Thread(target=work, daemon=True).start()
    return waiting.put


def moved_clock() -> None:
    """The system's clock, as far as Python and our ids can tell, is as wrong as the file `clock` says."""
    real = compat.uuid7
    clock = time_machine.travel(datetime.now(UTC), tick=True).start()
    patch.object(compat, "uuid7", lambda: real(nanoseconds=time.time_ns())).start()

    def follow() -> None:
        wrong = 0.0
        while True:
            wanted = float(Path(CLOCK).read_text() or wrong)
            clock.shift(wanted - wrong)
            wrong = wanted
            threading.Event().wait(0.02)

    threading.Thread(target=follow, daemon=True).start()


def few_files() -> None:
    """As many files and connections as a careless host allows."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def migrates_first() -> None:
    """As `greenroom migrate && greenroom serve`."""
    child = os.fork()
    if not child:
        sys.argv = ["greenroom", "migrate"]
        try:
            entry.main()
        except SystemExit as ended:
            os._exit(int(ended.code or 0))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, f"greenroom migrate ended with {code}"


def relies_on_its_store() -> None:
    """Nothing stands in for a counter store that is away."""
    patch.object(limits._Counter, "__init__", _without_memory(limits._Counter.__init__)).start()


def _without_memory(make: Callable[..., None]) -> Callable[..., None]:
    def made(counter: Any, *more: Any) -> None:
        make(counter, *more)
        counter._memory = counter.limiter.limiter

    return made


def hears_nothing() -> None:
    """On PostgreSQL nobody tells it what others have changed, and it does not ask."""
    patch.object(PostgresChanges, "_hear", PostgresChanges.catch_up).start()


def believes_what_it_knows() -> None:
    """It hears nothing, and relies for ever on what it learnt when it began."""
    hears_nothing()
    looked = SqliteChanges.caught_up
    patch.object(SqliteChanges, "caught_up", lambda self: self._version >= 0 or looked(self)).start()
    patch.object(PostgresChanges, "caught_up", lambda self: self._good_until > 0).start()


def takes_few_connections() -> None:
    """Whoever is slow takes the places of all others."""
    patch.object(server, "CONNECTIONS", 100).start()
