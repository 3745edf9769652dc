"""Who is asking, to the letter: what a principal may and may not, and when the guard writes down that it was here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy.exc import OperationalError

from service.accounts import operations, queries
from service.accounts.models import ApiToken, Moderator, SignIn
from service.accounts.operations import NewToken
from service.accounts.principal import Principal, acting
from service.db import db, transaction
from service.errors import Forbidden, NotFound
from tests.accounts.conftest import Browser, People, bearer

# No database has a say in this, so one will do.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True, scope="session")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, THERE = UUID(int=1), UUID(int=2)
EVERYTHING = frozenset({"read", "moderate", "manage"})


@pytest.fixture
def clock(app: Flask) -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        app.extensions["greenroom_note_again"] = NOON
        yield clock


def somebody(**more: Any) -> Principal:
    usual: dict[str, Any] = {
        "kind": "session", "moderator_id": UUID(int=9), "name": "Ada", "actor": "moderator:9", "is_admin": False,
        "scopes": EVERYTHING, "roles": MappingProxyType({HERE: "moderator"}),
    }  # fmt: skip
    return Principal(**usual | more)


def test_nobody_changes_a_principal(app: Flask) -> None:
    with pytest.raises(AttributeError):
        somebody().is_admin = True  # type: ignore[misc]


def test_a_refusal_tells_a_stranger_nothing_and_a_colleague_why(app: Flask) -> None:
    with pytest.raises(NotFound) as hidden:
        somebody().require(THERE, "read")
    assert hidden.value.detail == "There is nothing here by that name."
    with pytest.raises(Forbidden) as refused:
        somebody().require(HERE, "manage")
    assert refused.value.detail == "Your role on this site, or your token, does not allow to manage."
    somebody().require(HERE, "moderate")
    with pytest.raises(Forbidden) as narrow:
        somebody(scopes=frozenset({"read"})).require(HERE, "moderate")
    assert narrow.value.detail.endswith("does not allow to moderate.")


@pytest.mark.parametrize(("is_admin", "scopes"), [(False, EVERYTHING), (True, frozenset({"read", "moderate"}))])
def test_only_an_admin_who_may_manage_is_let_through(app: Flask, is_admin: bool, scopes: frozenset[str]) -> None:
    with pytest.raises(Forbidden) as refused:
        somebody(is_admin=is_admin, scopes=scopes).require_admin()
    assert refused.value.detail == "Only an admin of this install may do this."
    somebody(is_admin=True).require_admin()


@pytest.mark.parametrize(
    ("who", "scopes", "site", "is_covered"),
    [
        ({}, ["read", "manage"], None, True),
        ({}, ["read"], HERE, True),
        ({}, ["read"], THERE, False),
        ({"scopes": frozenset({"read"})}, ["read", "moderate"], None, False),
        ({"is_admin": True}, ["manage"], THERE, True),
        ({"kind": "token"}, ["read"], HERE, True),
        ({"kind": "token"}, ["read"], THERE, False),
        ({"kind": "token"}, ["read"], None, False),
        ({"kind": "token", "is_admin": True}, ["manage"], None, True),
        ({"kind": "token", "is_admin": True}, ["manage"], THERE, True),
        ({"kind": "token", "scopes": frozenset({"read"})}, ["manage"], HERE, False),
    ],
)
def test_nobody_gives_what_is_not_theirs(
    app: Flask, who: dict[str, Any], scopes: list[str], site: UUID | None, is_covered: bool
) -> None:
    assert somebody(**who).covers(scopes, site) is is_covered


def issued(app: Flask, moderator: UUID, *scopes: str, site_id: UUID | None = None, **more: Any) -> ApiToken:
    wanted = NewToken("a program", scopes or ("read", "moderate", "manage"), site_id, **more)
    with app.app_context(), transaction():
        return operations.issue_token(db.session.get_one(Moderator, moderator), wanted, actor="test").token


def test_a_job_acts_as_the_moderator_in_person(people: People, app: Flask) -> None:
    site = people.site("here")
    who = people.moderator(moderator=site)
    with app.app_context():
        assert acting(f"moderator:{who}") == Principal(
            "session", who, "Ada", f"moderator:{who}", False, EVERYTHING, {site: "moderator"}
        )


def test_a_job_acts_as_the_token_that_asked_for_it(people: People, app: Flask) -> None:
    here, there = people.site("here"), people.site("there")
    who = people.moderator(moderator=here)
    people.change(who, lambda one: operations.grant(one, there, "owner", actor="test"))
    everywhere, one_site = issued(app, who, "read"), issued(app, who, site_id=there)
    with app.app_context():
        assert acting(f"token:{everywhere.id}") == Principal(
            "token",
            who,
            "Ada",
            f"token:{everywhere.id}",
            False,
            frozenset({"read"}),
            {here: "moderator", there: "owner"},
        )
        assert acting(f"token:{one_site.id}") == Principal(
            "token", who, "Ada", f"token:{one_site.id}", False, EVERYTHING, {there: "owner"}
        )
    people.change(who, lambda one: operations.withdraw(one, there, actor="test"))
    with app.app_context():
        found = acting(f"token:{one_site.id}")
        assert found is not None and found.roles == {}
        assert found.role_on(there) is None


def test_an_admins_tokens(people: People, app: Flask) -> None:
    here, there = people.site("here"), people.site("there")
    who = people.moderator(is_admin=True)
    everywhere, one_site = issued(app, who), issued(app, who, site_id=here)
    with app.app_context():
        found = acting(f"token:{everywhere.id}")
        assert found is not None and (found.is_admin, found.site_ids("manage")) == (True, frozenset({here, there}))
        found = acting(f"token:{one_site.id}")
        assert found is not None and (found.is_admin, found.roles) == (False, {here: "owner"})
        assert found.site_ids("manage") == {here}


def test_nobody_acts_for_a_closed_account_or_a_token_that_is_over(people: People, app: Flask) -> None:
    who = people.moderator()
    token, late = issued(app, who), issued(app, who, expires_at=datetime.now(UTC) + timedelta(hours=1))
    with app.app_context():
        assert acting(f"token:{token.id}") and acting(f"token:{late.id}")
        assert acting(f"token:{uuid4()}") is None
        with transaction():
            operations.revoke_token(db.session.get_one(ApiToken, token.id), actor="test")
        assert acting(f"token:{token.id}") is None
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
            assert acting(f"token:{late.id}") is None
        assert acting(f"moderator:{who}")
    people.change(who, lambda one: operations.set_active(one, False, actor="test"))
    with app.app_context():
        assert acting(f"moderator:{who}") is None and acting(f"token:{late.id}") is None


def test_the_guard_says_what_is_missing(people: People, browser: Browser) -> None:
    token = people.token(people.moderator(owner=people.site("here")), "read")
    answer = browser.post("/admin", headers=bearer(token))
    assert answer.get_json()["detail"] == "This token does not allow to manage."


def test_a_forged_or_outdated_request_is_told_what_to_do(people: People, browser: Browser) -> None:
    people.moderator(owner=people.site("here"))
    browser.sign_in()
    answer = browser.post("/admin", headers={"Origin": "https://evil.example"})
    assert answer.get_json()["detail"] == "This request came from another site. Open the desk and try again there."
    answer = browser.post("/admin", headers={"Origin": "http://127.0.0.1:8080", "X-CSRFToken": "old"})
    assert answer.get_json()["detail"] == "This page is out of date. Reload it and try again."


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET"])
def test_what_changes_nothing_needs_no_page_of_ours(people: People, browser: Browser, method: str) -> None:
    people.moderator()
    browser.sign_in()
    assert browser.open("/me", method=method).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/desk?", 303), ("HEAD", "/desk", 303), ("GET", "/desk/token", 303), ("POST", "/desk/token", 405),
        ("GET", "/me", 401), ("GET", "/unmarked", 401),
    ],
)  # fmt: skip
def test_only_who_browses_the_desk_is_sent_to_sign_in(
    app: Flask, browser: Browser, method: str, path: str, status: int
) -> None:
    answer = browser.open(path, method=method)
    assert answer.status_code == status
    if status == 303:
        assert answer.headers["Location"] == f"/desk/sign-in?next={path.removesuffix('?')}"


def seen(app: Flask) -> datetime | None:
    with app.app_context():
        return db.session.query(SignIn).one().seen_at


def used(app: Flask) -> datetime | None:
    with app.app_context():
        return db.session.query(ApiToken).one().last_used_at


def test_a_session_in_use_is_noted_once_a_minute(people: People, app: Flask, browser: Browser, clock: Any) -> None:
    people.moderator()
    browser.sign_in()
    for after, noted in ((59, 0), (60, 60), (100, 60), (119, 60), (120, 120)):
        clock.move_to(NOON + timedelta(seconds=after))
        assert browser.get("/me").status_code == 200
        assert seen(app) == NOON + timedelta(seconds=noted)


def test_only_the_token_in_use_is_noted(people: People, app: Flask, browser: Browser, clock: Any) -> None:
    who = people.moderator()
    token = people.token(who)
    people.token(who)
    browser.get("/me", headers=bearer(token))
    with app.app_context():
        assert sorted(str(one.last_used_at) for one in db.session.query(ApiToken)) == [str(NOON), "None"]


def test_only_the_session_in_use_is_noted(people: People, app: Flask, browser: Browser, clock: Any) -> None:
    people.moderator()
    browser.sign_in()
    other: Any = app.test_client()
    other.sign_in()
    clock.shift(60)
    other.get("/me")
    with app.app_context():
        assert sorted(one.seen_at - NOON for one in db.session.query(SignIn)) == [timedelta(0), timedelta(seconds=60)]


def test_a_busy_database_is_left_alone_for_a_minute(
    people: People, app: Flask, browser: Browser, clock: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    token = bearer(people.token(people.moderator()))
    caplog.set_level(logging.INFO, "service.accounts.guard")
    with monkeypatch.context() as patched:
        patched.setattr(queries, "see_token", busy)
        assert browser.get("/me", headers=token).status_code == 200
    assert [one.getMessage() for one in caplog.records] == ["not noted that an account is in use: OperationalError"]
    for after, is_noted in ((0, False), (59, False), (60, True)):
        clock.move_to(NOON + timedelta(seconds=after))
        assert browser.get("/me", headers=token).status_code == 200
        assert (used(app) is not None) is is_noted


def busy(_token_id: UUID) -> None:
    raise OperationalError("UPDATE", {}, Exception("database is locked"))


@pytest.mark.parametrize(
    ("idle", "old", "status"),
    [
        (timedelta(hours=12) - timedelta(seconds=1), timedelta(0), 200),
        (timedelta(hours=12), timedelta(0), 401),
        (timedelta(0), timedelta(days=7) - timedelta(seconds=1), 200),
        (timedelta(0), timedelta(days=7), 401),
    ],
)
def test_a_session_ends_to_the_second(
    people: People, app: Flask, browser: Browser, clock: Any, idle: timedelta, old: timedelta, status: int
) -> None:
    people.moderator()
    browser.sign_in()
    with app.app_context(), transaction():
        row = db.session.query(SignIn).one()
        row.seen_at, row.created_at = NOON - idle, NOON - old
    assert browser.get("/me").status_code == status


def test_a_token_ends_to_the_second(people: People, browser: Browser, clock: Any) -> None:
    token = bearer(people.token(people.moderator(), expires_at=NOON + timedelta(seconds=5)))
    assert browser.get("/me", headers=token).status_code == 200
    clock.shift(5)
    assert browser.get("/me", headers=token).status_code == 401


@pytest.mark.parametrize("sign_in", [None, 7])
def test_a_session_that_names_none_is_none(people: People, browser: Browser, sign_in: Any) -> None:
    people.moderator()
    browser.sign_in()
    with browser.session_transaction() as session:
        session["sign_in"] = sign_in
    assert browser.get("/me").status_code == 401


def test_a_session_of_somebody_else_is_none(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    people.moderator("bob@example.org")
    browser.sign_in()
    other: Any = app.test_client()
    other.sign_in("bob@example.org")
    with other.session_transaction() as session:
        theirs = session["sign_in"]
    with browser.session_transaction() as session:
        session["sign_in"] = theirs
    assert browser.get("/me").status_code == 401
