"""Many who ask at the same time for what is not kept yet: it is made once, however it changes meanwhile."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import brotli
import pytest
import zstandard
from flask.testing import FlaskClient

from service.readcache import Entry, Store
from tests.front.conftest import Answer, Serve, Served, until
from tests.front.test_ready import REQUEST, THREAD, Counted, as_flask_has_it
from tests.front.test_ready import counted as counted
from tests.front.test_ready import said as said
from tests.front.test_ready import served as served
from tests.front.test_ready import store as store
from tests.moderation.conftest import Desk
from tests.moderation.conftest import desk as desk
from tests.support import post

ENTERED = "GET /v1/sites/blog/thread"
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}
CODINGS = list(UNPACK) * 8


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often an answer was packed, by coding."""
    found: Counter[str] = Counter()
    pack = Entry.pack

    def counting(entry: Entry, coding: str) -> None:
        found[coding] += 1
        pack(entry, coding)

    monkeypatch.setattr(Entry, "pack", counting)
    return found


def asking(served: Served, codings: Iterable[str] = CODINGS) -> list[Any]:
    """A client each, all of whom wait for the one who came first."""
    found = [served.connect(REQUEST[:-2] + f"Accept-Encoding: {one}\r\n\r\n".encode()) for one in codings]
    until(lambda: len(served.server.server_state.tasks) == len(found) + 1)
    return found


def bodies(clients: Iterable[Any], codings: Iterable[str] = CODINGS) -> set[bytes]:
    """What they were told, unpacked: each in the coding that it asked for."""
    found = set()
    for client, coding in zip(clients, codings, strict=True):
        answer: Answer = Served.read(client)
        assert (answer.status, answer.headers.get("Content-Encoding", "identity")) == (200, coding)
        found.add(UNPACK[coding](answer.body))
    return found


def test_who_comes_together_waits_for_one(served: Served, counted: Counted, said: str) -> None:
    counted.gate.clear()
    waiting = [served.connect(REQUEST) for _ in range(20)]
    until(lambda: counted.entered)
    assert served.get("/healthz").status == 200  # none of them holds anybody up
    counted.gate.set()
    answers = [Served.read(one) for one in waiting]
    assert {one.status for one in answers} == {200} and len({one.body for one in answers}) == 1
    assert counted.entered.count("GET /v1/sites/blog/thread") == 1


def test_what_changed_while_it_was_made_is_not_kept(
    served: Served, counted: Counted, client: FlaskClient, desk: Desk, said: str
) -> None:
    waiting = post(client, body="Another one.").json["id"]
    counted.gate.clear()
    early = served.connect(REQUEST)
    until(lambda: counted.entered)
    late = served.connect(REQUEST)  # waits for the other, and must not be given what that was given
    desk.decide(waiting, "approve")
    counted.gate.set()
    assert Served.read(early).status == 200
    assert Served.read(late).body == as_flask_has_it(client)
    assert served.get(THREAD).body == as_flask_has_it(client)


def test_many_who_wait_for_what_changes_meanwhile_have_it_made_once_more(
    serve: Serve, counted: Counted, store: Store, packed: Counter[str], client: FlaskClient, desk: Desk, said: str
) -> None:
    served = serve(counted, store=store, threads=4, max_waiting=4)  # fewer than they are
    waiting = post(client, body="Another one.").json["id"]
    counted.gate.clear()
    early = served.connect(REQUEST)
    until(lambda: counted.entered)
    late = asking(served)
    desk.decide(waiting, "approve")
    counted.gate.set()
    assert Served.read(early).status == 200
    assert bodies(late) == {as_flask_has_it(client)}
    assert counted.entered.count(ENTERED) == 2
    assert served.get(THREAD).body == as_flask_has_it(client)
    assert packed["gzip"] <= 2 and packed.total() <= 2 * len(UNPACK)


def test_those_who_want_it_in_other_codings_have_each_made_once(
    served: Served, counted: Counted, packed: Counter[str], client: FlaskClient, said: str
) -> None:
    counted.gate.clear()
    early = served.connect(REQUEST)
    until(lambda: counted.entered)
    late = asking(served)
    counted.gate.set()
    assert bodies(late) == {Served.read(early).body} == {as_flask_has_it(client)}
    assert counted.entered.count(ENTERED) == 1
    assert packed == dict.fromkeys(UNPACK, 1)


def test_what_changes_all_the_time_is_not_made_for_each_who_waits(
    serve: Serve, counted: Counted, store: Store, client: FlaskClient, said: str
) -> None:
    """What was begun after they asked is right for them, though it is not kept."""

    def changing(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        answer = counted(environ, start_response)
        store.clear()
        return answer

    served = serve(changing, store=store, threads=4, max_waiting=4)
    counted.gate.clear()
    early = served.connect(REQUEST)
    until(lambda: counted.entered)
    plain = ["identity"] * len(CODINGS)  # who wants another coding may come after what was begun is packed
    late = asking(served, plain)
    counted.gate.set()
    assert bodies([early, *late], ["identity", *plain]) == {as_flask_has_it(client)}
    assert counted.entered.count(ENTERED) == 2


def test_what_is_not_for_all_is_made_for_each(served: Served, counted: Counted, said: str) -> None:
    alone = REQUEST.replace(f"GET {THREAD}".encode(), b"GET /v1/sites/blog/form?page=/a")
    counted.gate.clear()
    early = served.connect(alone)
    until(lambda: counted.entered)
    late = [served.connect(alone) for _ in range(5)]
    until(lambda: len(served.server.server_state.tasks) == 6)
    counted.gate.set()
    assert {Served.read(one).status for one in (early, *late)} == {200}
    assert counted.entered.count("GET /v1/sites/blog/form") == 6
