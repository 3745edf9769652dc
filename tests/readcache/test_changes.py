"""What the database notes by itself, and how a process learns of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError

from service.comments.models import Comment
from service.db import db, now, transaction
from service.readcache import PostgresChanges, changes, changes_of, page_key, queries, site_key, sites_pages_key
from service.readcache.models import PublicChange
from service.readcache.queries import forget_old
from service.sites import operations as sites
from service.sites.models import Page, Site
from tests.moderation.conftest import Desk
from tests.moderation.conftest import desk as desk
from tests.moderation.conftest import held as held
from tests.processes import until
from tests.public import Watch
from tests.support import post


class Told:
    """A listener that keeps what it was told."""

    def __init__(self, found: changes.SqliteChanges | PostgresChanges) -> None:
        self.keys: set[str] = set()
        self.cleared = 0
        self.heard = threading.Event()
        self.changes = found
        found.listen(self)

    def catch_up(self) -> bool:
        if isinstance(self.changes, PostgresChanges):
            self.changes.catch_up()
        return self.changes.caught_up()

    def drop(self, tags: Iterable[str]) -> None:
        self.keys |= set(tags)
        if self.keys:
            self.heard.set()

    def clear(self) -> None:
        self.cleared += 1


Listening = Callable[[], Told]


@pytest.fixture
def listening(app: Flask) -> Iterator[Listening]:
    """What a process of its own learns, from `listening()` on."""
    opened: list[Told] = []

    def begin() -> Told:
        opened.append(Told(changes_of(db.engine)))
        assert opened[-1].catch_up()
        return opened[-1]

    yield begin
    for one in opened:
        one.changes.close()


def page_id() -> UUID:
    return db.session.scalars(select(Page.id)).one()


def learnt(told: Told) -> set[str]:
    """Since it was asked last."""
    assert told.catch_up()
    found = set(told.keys)
    told.keys.clear()
    return found


def test_a_process_learns_which_page_has_changed(desk: Desk, held: str, site: Site, listening: Listening) -> None:
    told = listening()
    assert learnt(told) == set()
    desk.decide(held, "approve")
    assert learnt(told) == {page_key(page_id()), sites_pages_key(site.id)}
    assert learnt(told) == set()


def test_what_nobody_may_see_yet_changes_nothing(client: FlaskClient, site: Site, listening: Listening) -> None:
    post(client)
    told = listening()
    assert post(client, body="Another one.").status_code == 202
    assert learnt(told) == set()


def test_the_settings_of_a_site_are_its_own(app: Flask, site: Site, listening: Listening) -> None:
    told = listening()
    with transaction():
        sites.change_site(site, {"depth": 2}, actor="test")
    assert learnt(told) == {site_key(site.id)}


def test_whatever_writes_it_is_noted(desk: Desk, held: str, listening: Listening) -> None:
    """A statement of some other program, even."""
    desk.decide(held, "approve")
    told = listening()
    with db.engine.begin() as connection:
        connection.execute(update(Comment).values(name="Somebody"))
    assert page_key(page_id()) in learnt(told)
    page = page_id()
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM page_addresses"))
    assert page_key(page) in learnt(told)


def test_whoever_begins_relies_on_nothing_from_before(app: Flask, listening: Listening) -> None:
    assert listening().cleared == 1


def test_a_watch_sees_what_was_not_noted(desk: Desk, held: str) -> None:
    """The check behind every test of these rooms can fail."""
    desk.decide(held, "approve")
    watch = Watch()
    with db.engine.begin() as connection:
        connection.execute(update(Comment).values(name="Somebody"))
        connection.execute(delete(PublicChange))
    with pytest.raises(AssertionError):
        watch.check()


def test_every_trigger_is_there(app: Flask) -> None:
    """To make a table anew, as migrations on SQLite do, drops its triggers."""
    if db.engine.dialect.name == "sqlite":
        found = db.session.scalars(text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"))
    else:
        found = db.session.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'public%'"))
    watched = {"comments", "comment_tallies", "pages", "page_addresses", "rating_counts", "authors", "sites"}
    assert watched <= set(found)


def notes() -> int:
    return db.session.query(PublicChange).filter_by(place=page_id()).count()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_one_row_a_page(desk: Desk, client: FlaskClient) -> None:
    for n in range(5):
        desk.decide(post(client, body=f"Comment {n}").json["id"], "approve")
    assert notes() == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestOnPostgresql:
    def test_rows_are_kept_for_an_hour(self, desk: Desk, held: str) -> None:
        desk.decide(held, "approve")
        with transaction():
            forget_old()
        assert notes()
        with transaction():
            db.session.execute(update(PublicChange).values(at=now() - timedelta(minutes=61), purged_at=now()))
            forget_old()
        assert notes() == 0

    def test_the_last_one_of_a_page_is_kept_until_a_cache_in_front_was_told(
        self, client: FlaskClient, desk: Desk, held: str
    ) -> None:
        desk.decide(held, "approve")
        desk.decide(post(client, body="Another one.").json["id"], "approve")
        assert notes() > 1
        with transaction():
            db.session.execute(update(PublicChange).values(at=now() - timedelta(minutes=61)))
            forget_old()
        assert notes() == 1

    def test_others_are_told_at_once(self, desk: Desk, held: str, listening: Listening) -> None:
        told = listening()
        desk.decide(held, "approve")
        assert told.heard.wait(30)

    def test_who_is_not_told_asks(
        self, desk: Desk, held: str, listening: Listening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pooler in between, for one, lets nobody listen."""
        monkeypatch.setattr(changes, "CHANNEL", "another")
        told = listening()
        desk.decide(held, "approve")
        assert told.heard.wait(30)

    def test_nothing_is_relied_on_while_the_database_is_away(
        self, app: Flask, held: str, listening: Listening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = listening()

        def away(*_: object) -> NoReturn:
            raise OperationalError("SELECT", None, Exception("away"))

        with monkeypatch.context() as broken:
            broken.setattr(queries, "from_horizon", away)
            assert not told.catch_up()
        assert told.catch_up()

    def test_who_was_cut_off_listens_again(self, desk: Desk, held: str, listening: Listening) -> None:
        told = listening()
        cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")

        def are_cut() -> bool:  # each look in a transaction of its own: PostgreSQL shows one picture in each
            with db.engine.connect() as connection:
                return bool(connection.scalars(cut).all())

        until(are_cut)  # it may only just begin
        desk.decide(held, "approve")
        assert told.heard.wait(30)

    def test_who_was_away_for_long_begins_anew(
        self, app: Flask, listening: Listening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = listening()
        monkeypatch.setattr(changes, "_TOO_LONG", -10.0)
        told.catch_up()
        assert told.cleared >= 2


def test_nothing_is_relied_on_while_there_is_no_file(tmp_path: Path) -> None:
    told = Told(changes.SqliteChanges(tmp_path / "none.db"))
    assert not told.catch_up() and told.cleared
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_older_content_put_in_its_place_is_another(app: Flask, listening: Listening) -> None:
    note = "INSERT INTO public_changes (seq, place, site_id, txid) VALUES (9999999, :id, :id, 0)"
    with db.engine.begin() as connection:
        connection.execute(text(note), {"id": uuid4().hex})
    told = listening()
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM public_changes"))
    assert told.catch_up() and told.cleared == 2
