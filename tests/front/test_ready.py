"""Published answers that never enter the app: kept, exact, and nobody else's."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from service import db as database
from service.comments import formtoken
from service.comments.models import Comment
from service.db import db, transaction
from service.readcache import PostgresChanges, Store, changes_of
from service.readcache import store as store_module
from service.sites import models
from service.sites import operations as sites
from service.sites.models import Page, Site
from tests.conftest import ORIGIN
from tests.front.conftest import Answer, Serve, Served, until
from tests.moderation.conftest import Desk
from tests.moderation.conftest import desk as desk
from tests.reactions.conftest import react
from tests.support import PAGE, post

THREAD = f"/v1/sites/blog/thread?page={PAGE}"
REQUEST = f"GET {THREAD} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode()


class Counted:
    """A WSGI app that counts what enters it, and can be held up at the end of an answer."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.entered: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        self.entered.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        answer = self.app(environ, start_response)
        assert environ["PATH_INFO"] == "/healthz" or self.gate.wait(10)
        return answer


@pytest.fixture
def counted(app: Flask) -> Counted:
    return Counted(app)


@pytest.fixture
def store(app: Flask) -> Iterator[Store]:
    found = changes_of(db.engine)
    steps = app.extensions["greenroom_on_commit"]
    if isinstance(found, PostgresChanges):
        steps.append(found.catch_up)
    yield Store(1_000_000, found)
    if isinstance(found, PostgresChanges):
        steps.remove(found.catch_up)
    found.close()


@pytest.fixture
def served(serve: Serve, counted: Counted, store: Store) -> Served:
    return serve(counted, store=store, threads=4)


@pytest.fixture
def said(client: FlaskClient, site: Site, desk: Desk) -> str:
    """A published comment."""
    found: str = post(client).json["id"]
    assert desk.decide(found, "approve").status_code == 200
    return found


def as_flask_has_it(client: FlaskClient, path: str = THREAD) -> bytes:
    data: bytes = client.get(path).data
    return data


def test_the_second_reader_never_enters_the_app(
    served: Served, counted: Counted, client: FlaskClient, said: str
) -> None:
    first, second = served.get(THREAD), served.get(THREAD)
    assert counted.entered == ["GET /v1/sites/blog/thread"]
    assert first.body == second.body == as_flask_has_it(client)
    kept = {name.lower(): value for name, value in second.headers.items()}
    assert kept.keys() >= {"etag", "cache-control", "content-type", "x-content-type-options", "vary"}
    assert kept["cache-control"] == "no-cache"


def test_who_has_it_is_told_so_at_the_first_and_at_every_time(served: Served, counted: Counted, said: str) -> None:
    tag = served.get(THREAD).headers["ETag"]
    assert served.get(THREAD, f"If-None-Match: {tag}").status == 304
    assert len(counted.entered) == 1
    served.front._store.clear()  # type: ignore[union-attr]
    again = served.get(THREAD, f"If-None-Match: {tag}")
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert served.get(THREAD).status == 200 and len(counted.entered) == 2


def test_each_coding_is_made_once(served: Served, counted: Counted, client: FlaskClient, said: str) -> None:
    served.get(THREAD)
    for _ in range(2):
        packed = served.get(THREAD, "Accept-Encoding: gzip")
        assert gzip.decompress(packed.body) == as_flask_has_it(client)
        assert packed.headers["ETag"].startswith("W/")
    assert len(counted.entered) == 1


Deed = Callable[[Flask, Desk, Site, str, str], object]


def _in_a_transaction(change: Callable[[Site], object]) -> Deed:
    def do(_app: Flask, _desk: Desk, site: Site, _said: str, _waiting: str) -> None:
        with transaction():
            change(site)

    return do


def _edit(_app: Flask, desk: Desk, _site: Site, said: str, _waiting: str) -> TestResponse:
    return desk.call("PATCH", f"/moderation/comments/{said}", json={"body": "New."}, headers={"If-Match": '"v2"'})


DEEDS: dict[str, Deed] = {
    "approve": lambda _app, desk, _site, _said, waiting: desk.decide(waiting, "approve"),
    "spam": lambda _app, desk, _site, said, _waiting: desk.decide(said, "spam", '"v2"'),
    "edit": _edit,
    "vote": lambda app, _desk, _site, said, _waiting: react(app, "vote", said),
    "title": _in_a_transaction(lambda _: sites.change_page(a_page(), actor="test", title="Another title")),
    "close": _in_a_transaction(lambda _: sites.change_page(a_page(), actor="test", closed=True)),
}


def a_page() -> Page:
    return db.session.scalars(select(Page)).one()


@pytest.mark.parametrize("deed", DEEDS)
def test_what_somebody_did_here_is_in_the_next_answer(
    served: Served, client: FlaskClient, app: Flask, desk: Desk, site: Site, said: str, deed: str
) -> None:
    waiting = post(client, body="Another one.").json["id"]
    before = served.get(THREAD)
    done = DEEDS[deed](app, desk, site, said, waiting)
    assert getattr(done, "status_code", 200) < 300
    after = served.get(THREAD, f"If-None-Match: {before.headers['ETag']}")
    assert (after.status, after.body) == (200, as_flask_has_it(client))
    assert after.body != before.body


def test_settings_are_in_the_next_answer(served: Served, site: Site, said: str) -> None:
    other = "https://other.example.org"
    assert "Access-Control-Allow-Origin" not in served.get(THREAD, f"Origin: {other}").headers
    with transaction():
        sites.change_site(site, {"origins": [ORIGIN, other]}, actor="test")
    assert served.get(THREAD, f"Origin: {other}").headers["Access-Control-Allow-Origin"] == other


def test_what_another_process_did_is_told(served: Served, app: Flask, client: FlaskClient, said: str) -> None:
    """SQLite tells at the next request, PostgreSQL within milliseconds; a second is promised."""
    before = served.get(THREAD).body
    with db.engine.begin() as connection:
        connection.execute(update(Comment).values(name="Somebody else"))
    if db.engine.dialect.name == "postgresql":
        until(lambda: served.get(THREAD).body != before)
    assert served.get(THREAD).body == as_flask_has_it(client) != before


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sites/blog/thread?page=/never/seen",
        "/v1/sites/nobody/thread?page=/a",
        f"{THREAD}&limit=no",
        f"{THREAD}&cursor=odd",
        "/v1/sites/blog/form?page=/a",
        f"/embed/blog?page={PAGE}&x=1",
        f"/embed/blog?page={PAGE}&fragment=1&x=1",
    ],
)
def test_what_is_not_for_all_or_not_there_fills_nothing(served: Served, counted: Counted, said: str, path: str) -> None:
    first, second = served.get(path, f"Origin: {ORIGIN}"), served.get(path, f"Origin: {ORIGIN}")
    assert first.status == second.status and len(counted.entered) == 2
    assert ("Access-Control-Allow-Origin" in first.headers) == ("/nobody/" not in path)


@pytest.mark.parametrize(
    "path",
    [
        THREAD,
        f"{THREAD}&sort=top&limit=3",
        f"/v1/sites/blog/counts?page={PAGE}&page=/never/seen",
        "/v1/sites/blog/latest",
        "/v1/sites/blog/feed.atom",
        f"/v1/sites/blog/feed.atom?page={PAGE}",
        f"/embed/blog?page={PAGE}&fragment=1",
        f"/embed/blog?page={PAGE}",
    ],
)
def test_what_all_may_read_is_kept_and_goes_when_it_changes(
    served: Served, counted: Counted, client: FlaskClient, desk: Desk, said: str, path: str
) -> None:
    before = said_by(served, path)
    assert said_by(served, path) == before and len(counted.entered) == 1
    desk.decide(post(client, body="Another one.").json["id"], "approve")
    after = said_by(served, path)
    assert after != before and len(counted.entered) == 2
    assert after == TOKEN.sub(b"", as_flask_has_it(client, path))


FORM = f"/embed/blog?page={PAGE}"
TOKEN = re.compile(rb'name="form_token" value="([^"]+)"')


def said_by(served: Served, path: str) -> bytes:
    """But for the token of a form, which is another one each second."""
    return TOKEN.sub(b"", served.get(path).body)


def drawn_at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def token_in(answer: Answer) -> str:
    (found,) = TOKEN.findall(answer.body)
    return str(found.decode())


def test_each_form_of_a_page_that_is_kept_has_a_token_of_its_own(
    served: Served, counted: Counted, site: Site, said: str
) -> None:
    begun = database.now().replace(hour=3, microsecond=0)
    for seconds in (0, 5, 3_600):
        with drawn_at(begun + timedelta(seconds=seconds)):
            for headers in ([], ["Accept-Encoding: gzip"]):
                answer = served.get(FORM, *headers)
                assert formtoken.age(site, token_in(answer), max_hours=1) == 0
                assert answer.headers["Content-Length"] == str(len(answer.body))
                assert answer.headers["Cache-Control"] == "no-cache"
    assert len(counted.entered) == 1


def test_who_has_a_page_with_a_form_is_told_so_until_its_token_is_half_as_old_as_it_may_be(
    served: Served, counted: Counted, said: str
) -> None:
    begun = database.now().replace(hour=3)
    with drawn_at(begun):
        tag = served.get(FORM).headers["ETag"]
    with drawn_at(begun + timedelta(hours=8)):
        assert served.get(FORM, f"If-None-Match: {tag}").status == 304
    with drawn_at(begun + timedelta(hours=10)):  # 24 hours are how old it may be, and at 12 o'clock the half is over
        assert served.get(FORM, f"If-None-Match: {tag}").status == 200
    assert len(counted.entered) == 2


def test_a_change_elsewhere_lets_it_stand(
    served: Served, counted: Counted, client: FlaskClient, desk: Desk, said: str
) -> None:
    served.get(THREAD)
    desk.decide(post(client, page="/another").json["id"], "approve")
    served.get(THREAD)
    assert len(counted.entered) == 1


def test_an_origin_of_the_site_is_named_and_no_other(served: Served, counted: Counted, said: str) -> None:
    for _ in range(2):
        assert served.get(THREAD, f"Origin: {ORIGIN}").headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Origin" not in served.get(THREAD, "Origin: https://evil.example").headers
        assert "Access-Control-Allow-Origin" not in served.get(THREAD).headers
    assert len(counted.entered) == 1


@pytest.mark.parametrize("header", ["Cookie: a=b", "Authorization: Author x", "Range: bytes=0-1", "If-Match: *"])
def test_who_says_who_they_are_enters(served: Served, counted: Counted, said: str, header: str) -> None:
    served.get(THREAD)
    served.get(THREAD, header)
    assert len(counted.entered) == 2


def test_a_head_is_answered_from_what_is_kept(served: Served, counted: Counted, said: str) -> None:
    whole = served.get(THREAD)
    head = served.ask(REQUEST.replace(b"GET", b"HEAD"))
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(whole.body)))
    assert len(counted.entered) == 1


def test_a_page_closes_when_its_time_has_come(
    served: Served, client: FlaskClient, site: Site, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        sites.change_site(site, {"close_after_days": 1}, actor="test")
    assert b'"state":"open"' in served.get(THREAD).body
    later = database.now() + timedelta(days=2)
    for module in (store_module, models):
        monkeypatch.setattr(module, "now", lambda: later)
    packed = served.get(THREAD, "Accept-Encoding: gzip")  # a form that was not made before
    assert b'"state":"closed"' in gzip.decompress(packed.body)
    assert b'"state":"closed"' in served.get(THREAD).body


def test_as_much_is_kept_as_there_is_room_for(serve: Serve, counted: Counted, app: Flask, said: str) -> None:
    found = changes_of(db.engine)
    store = Store(10_000, found)
    served = serve(counted, store=store)
    for n in range(1, 20):
        assert served.get(f"{THREAD}&limit={n}").status == 200
    assert 0 < store.size <= 10_000
    entered = len(counted.entered)
    served.get(f"{THREAD}&limit=19")  # the newest is there, the oldest is not
    assert len(counted.entered) == entered
    served.get(f"{THREAD}&limit=1")
    assert len(counted.entered) == entered + 1
    found.close()


def test_nothing_is_kept_that_cannot_be_relied_on(
    served: Served, counted: Counted, store: Store, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.get(THREAD)
    monkeypatch.setattr(store._changes, "caught_up", lambda: False)
    assert [served.get(THREAD).status for _ in range(2)] == [200, 200]
    assert len(counted.entered) == 3


def test_a_broken_app_is_a_problem_and_keeps_nobody_waiting(serve: Serve, store: Store) -> None:
    def broken(_environ: WSGIEnvironment, _start: StartResponse) -> NoReturn:
        raise RuntimeError("odd")

    served = serve(broken, store=store)
    assert [served.get(THREAD).status for _ in range(2)] == [500, 500]


def test_too_many_at_once_are_told_so(serve: Serve, counted: Counted, store: Store, said: str) -> None:
    served = serve(counted, store=store, threads=2, max_waiting=1)
    counted.gate.clear()
    waiting = [served.connect(REQUEST.replace(b"page=", b"limit=%d&page=" % n)) for n in range(1, 3)]
    until(lambda: served.front.reading.full)
    assert served.get(THREAD).status == 503
    counted.gate.set()
    assert [Served.read(one).status for one in waiting] == [200, 200]
