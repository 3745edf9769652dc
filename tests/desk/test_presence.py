"""Who looks at what: told with the news to those who may see the comment, and over soon after it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.comments.models import Comment
from service.db import Busy, db, transaction
from service.desk import ui
from service.presence import worker
from service.presence.models import Presence
from service.presence.operations import LASTS
from service.sites.models import Site
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser
from tests.moderation.conftest import token_of
from tests.moderation.still import clock as clock
from tests.moderation.still import entries

Leave = Callable[..., UUID]
EVERY = 20
"""Seconds between two looks for news."""


@pytest.fixture
def bert(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Bert")


def looks(browser: FlaskClient, at: object = "", **headers: str) -> Any:
    told = {"Origin": HOME} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = browser.get("/desk/waiting", query_string={"at": str(at)} if at else {}, headers=told)
    assert answer.status_code in (200, 304), answer.text
    return answer.json["looking"] if answer.status_code == 200 else None


def test_who_looks_at_a_comment_is_told_to_others(anna: Browser, bert: Browser, comment: Leave) -> None:
    one = comment()
    assert looks(anna, one) == {}
    assert looks(bert, one) == {str(one): ["Anna"]}
    assert looks(anna, one) == {str(one): ["Bert"]}


def test_several_are_told_by_name(anna: Browser, bert: Browser, signed_in: Any, comment: Leave) -> None:
    one = comment()
    looks(bert, one)
    looks(anna, one)
    assert looks(signed_in("Vera", "viewer"), one) == {str(one): ["Anna", "Bert"]}


def test_whoever_moves_on_looks_at_the_next_one_alone(anna: Browser, bert: Browser, comment: Leave) -> None:
    one, other = comment(), comment()
    looks(anna, one)
    looks(anna, other)
    assert looks(bert) == {str(other): ["Anna"]}


def test_whoever_stays_is_seen_and_whoever_leaves_is_not(
    anna: Browser, bert: Browser, comment: Leave, clock: Any
) -> None:
    """What was said last is over before 45 seconds are: its time, and that between two looks of somebody else."""
    one = comment()
    for _ in range(3):
        looks(anna, one)
        clock.shift(EVERY)
        assert looks(bert) == {str(one): ["Anna"]}
    clock.shift(LASTS.total_seconds() - EVERY)
    assert looks(bert) == {}
    assert LASTS.total_seconds() + EVERY <= 45 and LASTS.total_seconds() > EVERY


def test_the_etag_covers_who_looks(anna: Browser, bert: Browser, comment: Leave) -> None:
    one = comment()
    seen = bert.get("/desk/waiting").headers["ETag"]
    assert looks(bert, If_None_Match=seen) is None
    looks(anna, one)
    assert looks(bert, If_None_Match=seen) == {str(one): ["Anna"]}


def test_only_people_of_the_site_are_told(anna: Browser, signed_in: Any, comment: Leave) -> None:
    one = comment()
    nora = signed_in("Nora", "owner", add_site("news", ["https://news.example.org"]).id)
    looks(anna, one)
    assert looks(nora) == {}
    assert looks(nora, one) == {}  # nor can she say that she is there
    assert looks(anna) == {}
    assert db.session.query(Presence).count() == 1


def test_whose_account_is_closed_is_no_longer_there(anna: Browser, bert: Browser, comment: Leave) -> None:
    one = comment()
    looks(anna, one)
    with transaction():
        db.session.query(Moderator).filter_by(name="Anna").one().active = False
    assert looks(bert) == {}


def test_whoever_loses_the_role_is_told_no_more(anna: Browser, bert: Browser, site: Site, comment: Leave) -> None:
    looks(anna, comment())
    with transaction():
        accounts.withdraw(db.session.query(Moderator).filter_by(name="Bert").one(), site.id, actor="test")
    assert looks(bert) == {}


@pytest.mark.parametrize("at", [uuid4(), "", None])
def test_what_is_not_there_is_looked_at_by_nobody(anna: Browser, at: object, comment: Leave) -> None:
    assert looks(anna, at) == {}
    assert db.session.query(Presence).count() == 0


def test_what_is_no_comment_is_refused(anna: Browser) -> None:
    assert anna.get("/desk/waiting?at=everything").status_code == 422


def test_a_program_looks_at_nothing(app: Flask, bert: Browser, site: Site, comment: Leave) -> None:
    one, token = comment(), token_of("robot", site.id)
    assert looks(app.test_client(), one, Authorization=f"Bearer {token}") == {}
    assert looks(bert) == {}


def test_a_page_of_another_site_says_nothing(anna: Browser, bert: Browser, comment: Leave) -> None:
    assert looks(anna, comment(), Origin="https://evil.example.org") == {}
    assert looks(bert) == {}


@pytest.fixture
def written(app: Flask) -> Iterator[list[str]]:
    """What is written to the table."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "presences" in statement and not statement.startswith("SELECT"):
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def test_it_is_written_once_a_look_and_less_when_they_come_at_once(
    anna: Browser, comment: Leave, written: list[str], clock: Any
) -> None:
    one = comment()
    for _ in range(5):
        looks(anna, one)
    assert len(written) == 1
    clock.shift(EVERY)
    looks(anna, one)
    assert len(written) == 2
    looks(anna, comment())
    assert len(written) == 3


def test_it_is_no_change_of_anything(
    anna: Browser, comment: Leave, stored: Callable[[UUID], Comment], written: list[str]
) -> None:
    one = comment()
    before, deeds = stored(one).version, len(entries("comment.submitted"))
    looks(anna, one)
    assert written and stored(one).version == before and len(entries("comment.submitted")) == deeds


def test_while_others_write_it_is_not_said_and_the_news_are_told(
    anna: Browser, bert: Browser, comment: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: object) -> Any:
        raise Busy("BEGIN IMMEDIATE", None, TimeoutError())

    one = comment()
    monkeypatch.setattr(ui, "transaction", busy)
    assert looks(anna, one) == {}
    assert looks(bert) == {}


def test_people_and_comments_go_while_somebody_looks(anna: Browser, bert: Browser, comment: Leave) -> None:
    one, other = comment(), comment()
    looks(anna, one)
    looks(bert, other)
    with transaction():
        db.session.query(Presence).filter(Presence.comment_id == other).update({"comment_id": uuid4()})
    assert list(looks(bert)) == [str(one)]
    assert len(looks(anna)) == 1


def test_the_worker_forgets_who_looked(anna: Browser, comment: Leave, clock: time_machine.Coordinates) -> None:
    looks(anna, comment())
    worker.forget_all()
    assert db.session.query(Presence).count() == 1
    clock.shift(LASTS.total_seconds() + 1)
    worker.forget_all()
    assert db.session.query(Presence).count() == 0
