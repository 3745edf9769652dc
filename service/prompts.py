"""Say that there is work to do, at once and in any process. Rows are the truth; what is said here may get lost.

The engine is huey. It drops what it has handed to a process that dies, which is why nothing is ever stored in it alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, current_app
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.serializer import SignedSerializer
from psycopg.errors import DuplicateTable, UniqueViolation
from redis import ConnectionPool
from sqlalchemy import make_url

from service import metrics
from service.config import Settings
from service.db import after_commit

log = logging.getLogger(__name__)

Work = Callable[[str], None]
_QUEUE = "greenroom"
_LONGEST_LOOK = 2.0
"""Seconds between two looks of an idle thread, where the engine cannot wake it. They look one after another."""

_CONNECT, _ANSWER = 0.5, 3.0
"""Seconds for which Redis or Valkey is waited for; a worker waits up to one for something to do."""
_PATIENCE = {"connect_timeout": "2", "tcp_user_timeout": "5000"}
"""The same for PostgreSQL (libpq's connection parameters)."""

_STARTS = 20
"""Tries to open a queue on PostgreSQL while others make its tables and indexes, of which there are less than ten."""

_works: dict[str, Work] = {}
_DONE = metrics.counter("greenroom_prompts", "Prompts that were worked on.", "name", "result")


def on(name: str, work: Work) -> None:
    """Register what is done when `name` is prompted, in the worker. It may be prompted twice, late, or never."""
    _works[name] = work
    for result in ("done", "failed"):
        _DONE.labels(name, result)


def init_app(app: Flask, settings: Settings) -> None:
    """Touches nothing: the engine is opened at the first prompt."""
    app.extensions["greenroom_prompts"] = _Prompts(app, settings)


def prompt(name: str, about: str = "", *, delay: float = 0.0) -> None:
    """Have a worker do something, in so many seconds. Never raises: where it is not heard, a sweep finds the row."""
    prompts: _Prompts = current_app.extensions["greenroom_prompts"]
    try:
        prompts.say(name, about, delay)
    except Exception as error:  # engines raise whatever their drivers do
        log.warning("the queue of prompts is away: %s", type(error).__name__)


def waiting() -> int:
    """How many prompts nobody has taken yet; 0 where the queue is away."""
    prompts: _Prompts = current_app.extensions["greenroom_prompts"]
    try:
        return int(prompts.engine().pending_count())
    except Exception as error:  # as above
        log.warning("the queue of prompts is away: %s", type(error).__name__)
        return 0


def prompt_after_commit(name: str, about: str = "") -> None:
    """The same once the transaction that is open now has committed."""
    after_commit(lambda: prompt(name, about))


def consumer(workers: int) -> Consumer:
    """Takes prompts in threads of this process, from `start()` to `stop(graceful=True)`."""
    prompts: _Prompts = current_app.extensions["greenroom_prompts"]
    return _Quiet(prompts.engine(), workers=workers, periodic=False, max_delay=_LONGEST_LOOK)


def take_all(seconds: float) -> None:
    """Do what is prompted, and what that prompts, one after another; begin nothing more after so long."""
    engine = current_app.extensions["greenroom_prompts"].engine()
    until = time.monotonic() + seconds
    while time.monotonic() < until and (task := engine.dequeue()):
        engine.execute(task)


class _Quiet(Consumer):  # type: ignore[misc]  # huey has no types
    """Leaves the process's signals to the command."""

    def _set_signal_handlers(self) -> None:
        pass


class _Prompts:
    """The engine of an app."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._lock = Lock()
        self._engine: Huey | None = None
        self._do: Any = None

    def engine(self) -> Huey:
        with self._lock:
            if self._engine is None:
                self._engine = _open(self._settings, self._app.config["SECRET_KEY"])
                self._do = self._engine.task(name="do")(self._work)
            return self._engine

    def say(self, name: str, about: str, delay: float) -> None:
        self.engine()
        if delay:
            self._do.schedule((name, about), delay=delay)
        else:
            self._do(name, about)

    def _work(self, name: str, about: str) -> None:
        with self._app.app_context():
            try:
                _works[name](about)
                _DONE.labels(name, "done").inc()
            except Exception as error:  # a worker must outlive any work
                _DONE.labels(name, "failed").inc()
                log.error("%s failed", name, exc_info=error)


def _open(settings: Settings, secret: str) -> Huey:
    """Signed, because huey reads what it finds with pickle: whoever writes to the queue must not own the worker."""
    shared: dict[str, Any] = {"results": False, "serializer": SignedSerializer(secret)}
    url = settings.prompts_url
    if url.startswith("redis"):
        # A request that prompts must not wait for a host that answers nobody.
        there = url.removeprefix("redis+")  # of a socket: the limiter's word for it
        pool = ConnectionPool.from_url(there, socket_connect_timeout=_CONNECT, socket_timeout=_ANSWER)
        return RedisHuey(_QUEUE, connection_pool=pool, **shared)
    if url.startswith("postgresql"):
        patient = make_url(url).set(drivername="postgresql").update_query_dict(_PATIENCE)
        dsn = patient.render_as_string(hide_password=False)
        return _made_once(lambda: PostgresHuey(_QUEUE, dsn=dsn, table_prefix="greenroom_prompts", **shared))
    return SqliteHuey(_QUEUE, filename=_file(url), **shared)


def _made_once(make: Callable[[], Huey]) -> Huey:
    """huey makes its tables where they are missing. Of two who make one at once PostgreSQL refuses the second."""
    for _ in range(_STARTS):
        with suppress(DuplicateTable, UniqueViolation):
            return make()
    return make()


def _file(url: str) -> str:
    return str(Path(make_url(url).database or "").expanduser().resolve())
