"""What the front door keeps ready gives nobody what is held, or another's: asked by everybody, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from service.db import db
from service.front import Front
from service.readcache import PostgresChanges, Store, answers, changes_of
from tests.support import FULL

from . import test_f07_caches as caches
from .doors import Door
from .ledger import Proof
from .world import World

Answer = TypeVar("Answer")

KEPT = ("/v1/sites/", "/embed/")
DOORS = [door for door in (*caches.READS, *caches.HELD) if door.rule.startswith(KEPT)]


class ThroughTheFront:
    """The front door of a process, in the shape of a shared cache. `hits`: answers for which the app was not asked."""

    def __init__(self, client: FlaskClient) -> None:
        self.hits, self.confirmed, self._entered = 0, 0, 0
        self._app = client.application
        self._changes = changes_of(db.engine)
        self._store = Store(10_000_000, self._changes)
        self._loop, self._thread = asyncio.new_event_loop(), ThreadPoolExecutor(1)
        self._front = Front(
            self._enter, threads=2, max_body=1_000, body_timeout=5, max_waiting=9, store=self._store
        )  # fmt: skip

    def _enter(self, environ: Any, start_response: Any) -> Any:
        self._entered += 1
        return self._app(environ, start_response)

    def get(self, path: str, headers: Mapping[str, str]) -> Response:
        if isinstance(self._changes, PostgresChanges):
            self._changes.catch_up()
        before = self._entered
        answer = self._run(self._ask(path, headers))
        self.hits += self._entered == before
        return answer

    async def _ask(self, path: str, headers: Mapping[str, str]) -> Response:
        said: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        await self._front(_scope(path, headers), receive, send)
        told = [(_as_written(name.decode()), value.decode("latin-1")) for name, value in said[0]["headers"]]
        told = [(name, value.removesuffix(", Accept-Encoding")) for name, value in told]
        return Response(b"".join(one["body"] for one in said[1:]), said[0]["status"], told)

    def close(self) -> None:
        self._run(self._front.reading.close())
        self._run(self._front.writing.close())
        self._store.close()
        self._thread.shutdown()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """In a thread of its own: in this one, a browser's loop may be running."""
        return self._thread.submit(self._loop.run_until_complete, coroutine).result()


def _as_written(name: str) -> str:
    """What is kept has its names in small letters, as ASGI wants them."""
    return name.title().replace("Etag", "ETag").replace("Www", "WWW") if name.islower() else name


def _scope(path: str, headers: Mapping[str, str]) -> MutableMapping[str, Any]:
    asked = EnvironBuilder(path).get_request()
    told = {"host": "localhost"} | {name.lower(): value for name, value in headers.items()}
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http",
        "raw_path": path.partition("?")[0].encode(), "path": asked.path, "query_string": asked.query_string,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in told.items()],
        "server": ("localhost", 80), "client": ("127.0.0.1", 9),
    }  # fmt: skip


def asked(world: World, doors: Sequence[Door], firsts: Sequence[str]) -> Iterator[list[str]]:
    compared, spared = caches.Compared(world), 0
    for door in doors:
        for who in firsts:
            through = ThroughTheFront(compared.client)
            for _, wrong in compared.after(who, door, through):
                yield wrong
            spared += through.hits
            through.close()
    assert spared, "the front never had anything to give"


@pytest.mark.figure("7", quick=60, full=500)
def test_the_front_gives_everybody_their_own_answer(world: World, proof: Proof) -> None:
    firsts = list(caches.askers(world)) if FULL else ["a page of the site", "the author"]
    for wrong in asked(world, DOORS if FULL else DOORS[world.turn :: 3], firsts):
        proof.case(*wrong)


@pytest.mark.control("7")
def test_a_front_that_knows_nobody_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that keeps an author's own answer for all."""
    first = caches.with_what_is_held(world, monkeypatch)
    monkeypatch.setattr(answers, "_PERSONAL", set())
    (door,) = (one for one in DOORS if one.rule == "/v1/sites/<site>/latest")
    found = [line for wrong in asked(world, [door], [first]) for line in wrong]
    assert any(f" for nobody after {first}" in line for line in found), found
